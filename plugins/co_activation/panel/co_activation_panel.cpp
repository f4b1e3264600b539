#include "plugins/co_activation/panel/co_activation_panel.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QSignalBlocker>
#include <QSplitter>
#include <QStackedWidget>
#include <QTableWidget>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

#include "core/figure/co_activation_figures.h"
#include "core/figure/number_text.h"
#include "core/figure/specialization_figures.h"
#include "plugins/co_activation/panel/square_map.h"
#include "views/api/analysis_job.h"
#include "views/api/figure_table.h"
#include "views/api/progress_row.h"
#include "views/api/sample_line.h"
#include "views/api/selection_model.h"

namespace moescope::co_activation {

namespace {

constexpr int kPadding = 8, kHeight = 36, kLeastPicture = 160, kTableRow = 22;
constexpr int kNarrowestColumn = 28, kPairsWidth = 300;
enum Page { kMissingPage, kBodyPage };

QString qt(const std::string& text) { return QString::fromStdString(text); }

/// How intervals were made, in a few words; the whole sentence is in the tool tip.
QString shortInterval(const std::string& interval) {
  const QString text = qt(interval);
  if (text.startsWith(QLatin1String("none"))) return CoActivationPanel::tr("no intervals");
  const QString draws = text.section(QStringLiteral("bootstrap of "), 1).section(u' ', 0, 0);
  return (text.contains(QLatin1String("window")) ? CoActivationPanel::tr("95 % of %1 draws of windows")
                                                 : CoActivationPanel::tr("95 % of %1 draws of texts"))
      .arg(draws);
}

/// "12.5 %".
QString percent(double share) {
  return qt(figure::decimalText(100.0 * share, 1)) + qt(figure::kThinSpace) + QLatin1Char('%');
}

double numberAt(const analysis::ResultTable& table, std::size_t row, std::string_view column) {
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (table.columns[c].name != column) continue;
    if (const auto* value = std::get_if<double>(&table.rows[row][c])) return *value;
    if (const auto* value = std::get_if<std::int64_t>(&table.rows[row][c]))
      return static_cast<double>(*value);
  }
  return std::nan("");
}

}  // namespace

CoActivationPanel::CoActivationPanel(views::ViewContext& context, QWidget* parent)
    : QWidget(parent),
      m_context(context),
      m_sample(new views::SampleLine),
      m_progress(new views::ProgressRow),
      m_pages(new QStackedWidget) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  m_missing = new views::FigureView;
  m_missing->setObjectName(QStringLiteral("missing"));
  m_pages->addWidget(m_missing);
  m_pages->addWidget(makeBody());
  column->addWidget(makeToolBar());
  column->addWidget(m_sample);
  column->addWidget(m_progress);
  column->addWidget(m_pages, 1);
  connectContext();
  if (m_context.plugins() != nullptr) {
    m_job = new views::AnalysisJob(*m_context.plugins(), this);
    connectJob();
  }
  refreshRun();
}

CoActivationPanel::~CoActivationPanel() = default;

bool CoActivationPanel::busy() const { return m_job != nullptr && m_job->running(); }

QComboBox* CoActivationPanel::addBox(QHBoxLayout* row, const QString& name, const QString& label,
                                     const QString& toolTip) {
  auto* box = new QComboBox;
  box->setObjectName(name);
  box->setToolTip(toolTip);
  box->setAccessibleName(label);
  auto* text = new QLabel(label);
  text->setBuddy(box);
  row->addWidget(text);
  row->addWidget(box);
  return box;
}

QWidget* CoActivationPanel::makeToolBar() {
  auto* bar = new QWidget;
  bar->setMinimumHeight(kHeight);
  auto* row = new QHBoxLayout(bar);
  row->setContentsMargins(kPadding, 0, kPadding, 0);
  row->setSpacing(kPadding);
  m_layer = addBox(row, QStringLiteral("layer"), tr("Layer"), tr("Layer whose experts are shown"));
  m_kind = addBox(
      row, QStringLiteral("kind"), tr("Pairs"),
      tr("All pairs of a token’s choices, or neighbours by rank only, as in OLMoE’s published figure"));
  m_kind->addItem(tr("All pairs"), QStringLiteral("all-pairs"));
  m_kind->addItem(tr("Adjacent ranks"), QStringLiteral("adjacent-rank"));
  m_order = addBox(row, QStringLiteral("order"), tr("Sort experts"), tr("Order of rows and columns"));
  m_order->addItem(tr("By cluster"), static_cast<int>(figure::PairOrder::Cluster));
  m_order->addItem(tr("By number"), static_cast<int>(figure::PairOrder::Number));
  row->addStretch(1);
  connect(m_layer, &QComboBox::activated, this, [this] {
    if (const auto chosen = layer()) m_context.selection().setLayer(*chosen);
    refresh();
  });
  connect(m_kind, &QComboBox::activated, this, &CoActivationPanel::restart);
  connect(m_order, &QComboBox::activated, this, &CoActivationPanel::refresh);
  return bar;
}

QWidget* CoActivationPanel::makeBody() {
  auto* body = new QSplitter(Qt::Horizontal);
  body->setChildrenCollapsible(false);
  m_map = new views::FigureView;
  m_map->setObjectName(QStringLiteral("map"));
  m_map->setAccessibleName(tr("Experts that serve the same tokens"));
  m_map->setMinimumHeight(kLeastPicture);
  m_map->setTips([this](const views::FigureHit& hit) { return tipOf(hit); });
  connect(m_map, &views::FigureView::currentChanged, this, [this] {
    const auto hit = m_map->current();
    const auto* spec = m_map->figure();
    if (!hit || spec == nullptr || !spec->map) return;
    const auto row = static_cast<std::size_t>(hit->row), column = static_cast<std::size_t>(hit->column);
    if (row >= spec->map->rowNames.size() || column >= spec->map->columnNames.size()) return;
    choosePair(std::stoi(spec->map->rowNames[row]), std::stoi(spec->map->columnNames[column]));
  });
  views::addTableAction(m_map, [this] { return mapFigure(); });
  m_pairs = new QTableWidget(0, 5);
  m_pairs->setObjectName(QStringLiteral("pairs"));
  m_pairs->setAccessibleName(tr("Strongest pairs of the layer"));
  m_pairs->setHorizontalHeaderLabels({tr("i"), tr("j"), tr("j given i"), tr("95 %"), tr("i given j")});
  const QStringList tips{tr("The expert that serves a token"), tr("The expert that serves it too"),
                         tr("Part of the tokens of i that j serves too"),
                         tr("95 % interval of j given i, in percent"),
                         tr("Part of the tokens of j that i serves too")};
  for (int column = 0; column < tips.size(); ++column)
    m_pairs->horizontalHeaderItem(column)->setToolTip(tips[column]);
  m_pairs->setFrameShape(QFrame::NoFrame);
  m_pairs->setShowGrid(false);
  m_pairs->setSelectionBehavior(QAbstractItemView::SelectRows);
  m_pairs->setSelectionMode(QAbstractItemView::SingleSelection);
  m_pairs->setEditTriggers(QAbstractItemView::NoEditTriggers);
  m_pairs->setTabKeyNavigation(false);
  m_pairs->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
  for (const int column : {0, 1})
    m_pairs->horizontalHeader()->setSectionResizeMode(column, QHeaderView::ResizeToContents);
  m_pairs->horizontalHeader()->setMinimumSectionSize(kNarrowestColumn);
  m_pairs->horizontalHeader()->setHighlightSections(false);
  m_pairs->horizontalHeader()->setDefaultAlignment(Qt::AlignRight | Qt::AlignVCenter);
  m_pairs->setMinimumWidth(kPairsWidth);
  m_pairs->verticalHeader()->hide();
  m_pairs->verticalHeader()->setDefaultSectionSize(kTableRow);
  connect(m_pairs, &QTableWidget::itemSelectionChanged, this, [this] {
    const int row = m_pairs->currentRow();
    if (row < 0 || m_pairs->selectedItems().isEmpty()) return;
    choosePair(m_pairs->item(row, 0)->text().toInt(), m_pairs->item(row, 1)->text().toInt());
  });
  m_square = new SquareMap(m_map);
  body->addWidget(m_square);
  body->addWidget(m_pairs);
  body->setStretchFactor(0, 3);
  body->setStretchFactor(1, 2);
  body->setSizes({3 * kPairsWidth / 2, kPairsWidth});
  return body;
}

void CoActivationPanel::connectContext() {
  connect(&m_context, &views::ViewContext::storeReplaced, this, [this] {
    m_run.reset();
    refreshRun();
  });
  connect(&m_context, &views::ViewContext::runsChanged, this, &CoActivationPanel::refreshRun);
  connect(&m_context.selection(), &views::SelectionModel::runChanged, this, &CoActivationPanel::refreshRun);
  connect(&m_context.selection(), &views::SelectionModel::layerChanged, this, [this] {
    const auto chosen = m_context.selection().layer();
    const int index = chosen ? m_layer->findData(chosen->value) : -1;
    if (index < 0 || index == m_layer->currentIndex()) return;
    m_layer->setCurrentIndex(index);
    refresh();
  });
  connect(&m_context.selection(), &views::SelectionModel::expertsChanged, this, [this] {
    const auto& cells = m_context.selection().experts();
    const auto here = [this](const ExpertCell& cell) { return cell.layer == layer(); };
    const int index = cells.empty() || std::ranges::any_of(cells, here)
                          ? -1
                          : m_layer->findData(cells.begin()->layer.value);
    if (index < 0) return markPair();
    m_layer->setCurrentIndex(index);
    refresh();
  });
  connect(&m_context, &views::ViewContext::liveStateChanged, this, &CoActivationPanel::refreshRun);
}

void CoActivationPanel::connectJob() {
  connect(m_job, &views::AnalysisJob::partialReady, this, &CoActivationPanel::showResult);
  connect(m_job, &views::AnalysisJob::finished, this,
          [this](const std::shared_ptr<const analysis::AnalysisResult>& result) {
            m_progress->hide();
            m_sample->setStale(false);
            showResult(result);
          });
  connect(m_job, &views::AnalysisJob::failed, this, [this](const QString& text) {
    // Errors are parts of a line.
    showMissing(tr("No co-activation to show"), text.left(1).toUpper() + text.mid(1));
  });
  connect(m_job, &views::AnalysisJob::progressed, m_progress, &views::ProgressRow::report);
  connect(m_progress, &views::ProgressRow::cancelled, this, [this] {
    if (!m_result) {
      showMissing(tr("Cancelled"), tr("Choose a kind of pairs to begin again."));
      return;
    }
    m_job->cancel();
    m_progress->hide();
    m_sample->setStale(false);
  });
}

void CoActivationPanel::refreshRun() {
  const auto store = m_context.store();
  const auto selected = m_context.selection().run();
  const auto run = store && selected ? store->run(*selected) : std::nullopt;
  if (!run || run->routedTokens == 0) {
    m_run.reset();
    const bool begins = run && m_context.isLive(run->id);
    showMissing(begins ? tr("The run is being recorded") : tr("No routing recorded"),
                begins ? tr("Pairs are counted when it has ended.")
                       : tr("Generate text or record a corpus, or choose a run."));
    return;
  }
  if (m_context.isLive(run->id)) {
    if (m_run == run->id && m_result) return;
    m_run.reset();
    showMissing(tr("The run is being recorded"), tr("Pairs are counted when it has ended."));
    return;
  }
  if (m_run == run->id && m_tokens == run->routedTokens) return;
  m_run = run->id;
  m_tokens = run->routedTokens;
  const QSignalBlocker blocker(m_layer);
  const QVariant before = m_layer->currentData();
  m_layer->clear();
  for (const RouterSpec& router : store->routers(run->id))
    m_layer->addItem(tr("Layer %1").arg(router.layer.value), router.layer.value);
  const auto chosen = m_context.selection().layer();
  const int index = m_layer->findData(chosen ? QVariant(chosen->value) : before);
  m_layer->setCurrentIndex(std::max(index, 0));
  restart();
}

void CoActivationPanel::restart() {
  if (m_job == nullptr || !m_run) return;
  plugin::AnalysisRequest words;
  words.analysis = "co-activation";
  words.run = std::to_string(*m_run);
  words.parameters["kind"] = m_kind->currentData().toString().toStdString();
  if (!m_result) m_missing->setEmpty(tr("Counting pairs…"), QString());
  m_sample->setStale(true);
  m_job->start(m_context.store(), std::move(words));
}

void CoActivationPanel::showResult(std::shared_ptr<const analysis::AnalysisResult> result) {
  m_result = std::move(result);
  m_pages->setCurrentIndex(kBodyPage);
  refresh();
}

void CoActivationPanel::showSample() {
  const auto store = m_context.store();
  const auto run = store && m_run ? store->run(*m_run) : std::nullopt;
  const auto counted = [](std::int64_t count) { return qt(figure::countText(count)); };
  if (run) {
    const QString name = qt(run->name);
    m_sample->setSample(tr("Run %1 · %2 tokens in %3 texts · %4")
                            .arg(name, counted(run->routedTokens), counted(run->sequences),
                                 shortInterval(m_result->interval)),
                        name, chanceText());
  }
  QStringList lines{qt(m_result->sample), tr("Intervals: %1").arg(qt(m_result->interval)),
                    tr("Baseline: %1").arg(qt(m_result->baseline))};
  for (const std::string& note : m_result->notes) lines << qt(note);
  m_sample->setToolTip(lines.join(QLatin1Char('\n')));
}

/// No result either; what is being computed is not wanted any more.
void CoActivationPanel::showMissing(const QString& heading, const QString& text) {
  if (m_job != nullptr) m_job->cancel();
  m_progress->hide();
  m_result.reset();
  m_missing->setEmpty(heading, text);
  m_pages->setCurrentIndex(kMissingPage);
  m_sample->setSample({}, {}, {});
  m_sample->setToolTip({});
}

std::optional<LayerIndex> CoActivationPanel::layer() const {
  if (m_layer->currentIndex() < 0) return std::nullopt;
  return LayerIndex{m_layer->currentData().toInt()};
}

Result<figure::FigureSpec> CoActivationPanel::mapFigure() const {
  const auto chosen = layer();
  if (!m_result || !chosen)
    return fail("figure.no_result", "", "", "there is nothing to show yet", "choose a run with routing");
  return figure::coActivationFigure(*m_result, *chosen,
                                    static_cast<figure::PairOrder>(m_order->currentData().toInt()));
}

std::vector<views::NamedFigure> CoActivationPanel::figures() {
  return {{tr("Co-activation"), [this] { return mapFigure(); }}};
}

void CoActivationPanel::refresh() {
  if (!m_result) return;
  {
    const QSignalBlocker blocker(m_map);
    auto spec = mapFigure();
    if (spec) {
      spec->heading = spec->title;
      spec->map->colours.label = tr("Tokens of i that j serves too, %").toStdString();  // chance stands above
    }
    m_map->setResult(std::move(spec));
  }
  m_square->arrange();
  refreshPairs();
  showSample();
}

QString CoActivationPanel::chanceText() const {
  const auto chosen = layer();
  const auto* matrix =
      m_result && chosen ? figure::layerMatrix(*m_result, "co_activation", *chosen) : nullptr;
  if (matrix == nullptr || !matrix->baseline) return {};
  return tr("even random choices: %1").arg(percent(*matrix->baseline));
}

/// The two experts that are selected in this layer are marked on the map and in the list.
void CoActivationPanel::markPair() {
  std::vector<int> selected;
  for (const ExpertCell& cell : m_context.selection().experts())
    if (cell.layer == layer()) selected.push_back(cell.expert.value);
  if (selected.size() != 2) {
    m_pair.reset();
  } else if (!m_pair || std::minmax(m_pair->first, m_pair->second) != std::minmax(selected[0], selected[1])) {
    m_pair = std::pair(selected[0], selected[1]);
  }
  const QSignalBlocker mapBlocker(m_map), pairsBlocker(m_pairs);
  m_map->setCurrent(std::nullopt);
  m_pairs->clearSelection();
  const auto* spec = m_map->figure();
  if (!m_pair || spec == nullptr || !spec->map) return;
  const auto& names = spec->map->rowNames;
  const auto placeOf = [&](int expert) {
    return static_cast<int>(std::ranges::find(names, std::to_string(expert)) - names.begin());
  };
  m_map->setCurrent(
      views::FigureHit{views::FigureHit::Kind::Cell, 0, placeOf(m_pair->first), placeOf(m_pair->second)});
  for (int row = 0; row < m_pairs->rowCount(); ++row) {
    if (m_pairs->item(row, 0)->text().toInt() == m_pair->first &&
        m_pairs->item(row, 1)->text().toInt() == m_pair->second)
      m_pairs->selectRow(row);
  }
}

void CoActivationPanel::refreshPairs() {
  const QSignalBlocker blocker(m_pairs);
  m_pairs->setRowCount(0);
  const auto* table = m_result->table("pairs");
  const auto chosen = layer();
  if (table == nullptr || !chosen) return;
  for (std::size_t row = 0; row < table->rows.size(); ++row) {
    if (numberAt(*table, row, "layer") != chosen->value) continue;
    const double low = numberAt(*table, row, "value_low"), high = numberAt(*table, row, "value_high");
    const QStringList texts{QString::number(numberAt(*table, row, "from")),
                            QString::number(numberAt(*table, row, "to")),
                            percent(numberAt(*table, row, "value")),
                            std::isfinite(low) ? tr("%1–%2").arg(qt(figure::decimalText(100.0 * low, 1)),
                                                                 qt(figure::decimalText(100.0 * high, 1)))
                                               : QString(),
                            percent(numberAt(*table, row, "value_back"))};
    const int at = m_pairs->rowCount();
    m_pairs->insertRow(at);
    for (int column = 0; column < texts.size(); ++column) {
      auto* item = new QTableWidgetItem(texts[column]);
      item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
      m_pairs->setItem(at, column, item);
    }
  }
  markPair();
}

void CoActivationPanel::choosePair(int from, int to) {
  const auto chosen = layer();
  if (!chosen) return;
  if (from == to) return;  // the cursor may stand on the diagonal
  m_pair = std::pair(from, to);
  m_context.selection().setLayer(*chosen);
  m_context.selection().setExperts({{*chosen, ExpertIndex{from}}, {*chosen, ExpertIndex{to}}});
}

views::FigureTip CoActivationPanel::tipOf(const views::FigureHit& hit) const {
  views::FigureTip tip;
  const auto chosen = layer();
  const auto* spec = m_map->figure();
  const auto* matrix =
      m_result && chosen ? figure::layerMatrix(*m_result, "co_activation", *chosen) : nullptr;
  if (spec == nullptr || !spec->map || matrix == nullptr) return tip;
  const auto row = static_cast<std::size_t>(hit.row), column = static_cast<std::size_t>(hit.column);
  if (row >= spec->map->rowNames.size() || column >= spec->map->columnNames.size()) return tip;
  const auto from = static_cast<std::size_t>(std::stoi(spec->map->rowNames[row]));
  const auto to = static_cast<std::size_t>(std::stoi(spec->map->columnNames[column]));
  const std::size_t experts = matrix->rowNames.size();
  tip.heading = tr("Layer %1 · experts %2 and %3").arg(chosen->value).arg(from).arg(to);
  if (from == to) {
    tip.footer = tr("An expert does not serve a token together with itself");
    return tip;
  }
  tip.rows.emplace_back(tr("%1 given %2").arg(to).arg(from), percent(matrix->values[from * experts + to]));
  tip.rows.emplace_back(tr("%1 given %2").arg(from).arg(to), percent(matrix->values[to * experts + from]));
  if (matrix->baseline) tip.rows.emplace_back(tr("chance"), percent(*matrix->baseline));
  return tip;
}

}  // namespace moescope::co_activation
