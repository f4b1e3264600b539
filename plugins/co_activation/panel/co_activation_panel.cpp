#include "plugins/co_activation/panel/co_activation_panel.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <QSplitter>

#include <algorithm>

#include "core/base/router_label.h"
#include "core/figure/co_activation_figures.h"
#include "core/figure/number_text.h"
#include "core/figure/specialization_figures.h"
#include "plugins/co_activation/panel/pair_list.h"
#include "plugins/co_activation/panel/square_map.h"
#include "views/api/figure_table.h"
#include "views/api/router_box.h"
#include "views/api/selection_model.h"

namespace moescope::co_activation {

namespace {

constexpr int kPadding = 8, kHeight = 36, kLeastPicture = 160;

}  // namespace

CoActivationPanel::CoActivationPanel(views::ViewContext& context, QWidget* parent)
    : RunAnalysisPanel(
          context,
          {tr("No co-activation to show"), tr("Counting pairs…"), tr("Pairs are counted when it has ended."),
           tr("Generate text or record a corpus, or choose a run."),
           tr("Choose a kind of pairs to begin again.")},
          parent) {
  auto* body = makeBody();
  setParts(makeToolBar(), body);
  const auto& selection = context.selection();
  connect(&selection, &views::SelectionModel::routerChanged, this, [this] {
    const auto& chosen = this->context().selection().router();
    if (chosen && m_router->choose(*chosen)) refresh();
  });
  connect(&selection, &views::SelectionModel::expertsChanged, this, &CoActivationPanel::followSelection);
  followRun();
}

CoActivationPanel::~CoActivationPanel() = default;

QComboBox* CoActivationPanel::addBox(QHBoxLayout* row, const QString& name, const QString& label,
                                     const QString& toolTip, QComboBox* box) {
  if (box == nullptr) box = new QComboBox;
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
  m_router = new views::RouterBox;
  addBox(row, QStringLiteral("layer"), tr("Layer"), tr("Layer whose experts are shown"), m_router);
  m_kind = addBox(
      row, QStringLiteral("kind"), tr("Pairs"),
      tr("All pairs of a token’s choices, or neighbours by rank only, as in OLMoE’s published figure"));
  m_kind->addItem(tr("All pairs"), QStringLiteral("all-pairs"));
  m_kind->addItem(tr("Adjacent ranks"), QStringLiteral("adjacent-rank"));
  m_order = addBox(row, QStringLiteral("order"), tr("Sort experts"), tr("Order of rows and columns"));
  m_order->addItem(tr("By cluster"), static_cast<int>(figure::PairOrder::Cluster));
  m_order->addItem(tr("By number"), static_cast<int>(figure::PairOrder::Number));
  row->addStretch(1);
  connect(m_router, &QComboBox::activated, this, [this] {
    context().selection().setRouter(m_router->router());
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
  m_pairs = new PairList;
  m_pairs->setObjectName(QStringLiteral("pairs"));
  connect(m_pairs, &PairList::chosen, this, &CoActivationPanel::choosePair);
  m_square = new SquareMap(m_map);
  body->addWidget(m_square);
  body->addWidget(m_pairs);
  body->setStretchFactor(0, 3);
  body->setStretchFactor(1, 2);
  body->setSizes({3 * m_pairs->minimumWidth() / 2, m_pairs->minimumWidth()});
  return body;
}

void CoActivationPanel::followSelection() {
  const auto& cells = context().selection().experts();
  const auto here = [this](const ExpertCell& cell) { return cell.router() == m_router->router(); };
  const bool isElsewhere = !cells.empty() && std::ranges::none_of(cells, here);
  if (!isElsewhere || !m_router->choose(cells.begin()->router())) return markPair();
  refresh();
}

void CoActivationPanel::runChosen(const trace::RunRecord& run) {
  m_router->setRouters(context().store()->routers(run.id), context().selection().router());
  restart();
}

void CoActivationPanel::restart() {
  auto words = request("co-activation");
  words.parameters["kind"] = m_kind->currentData().toString().toStdString();
  begin(std::move(words));
}

Result<figure::FigureSpec> CoActivationPanel::mapFigure() const {
  const auto chosen = m_router->router();
  if (!result() || !chosen)
    return fail("figure.no_result", "", "", "there is nothing to show yet", "choose a run with routing");
  return figure::coActivationFigure(*result(), *chosen,
                                    static_cast<figure::PairOrder>(m_order->currentData().toInt()));
}

std::vector<views::NamedFigure> CoActivationPanel::figures() {
  return {{tr("Co-activation"), [this] { return mapFigure(); }}};
}

void CoActivationPanel::refresh() {
  if (!result()) return;
  {
    const QSignalBlocker blocker(m_map);
    auto spec = mapFigure();
    if (spec) {
      // The tab, the axes and the line above say the rest; a low panel has little room.
      spec->heading = m_router->currentText().toStdString();
      spec->map->colours.label = tr("j given i, %").toStdString();  // as in the list; chance stands above
    }
    m_map->setResult(std::move(spec));
  }
  m_square->arrange();
  if (const auto chosen = m_router->router()) m_pairs->setPairs(*result(), *chosen);
  markPair();
  showSample(chanceText());
}

QString CoActivationPanel::chanceText() const {
  const auto chosen = m_router->router();
  const auto* matrix =
      result() && chosen ? figure::layerMatrix(*result(), "co_activation", *chosen) : nullptr;
  if (matrix == nullptr || !matrix->baseline) return {};
  return tr("even random choices: %1").arg(percent(*matrix->baseline));
}

/// The two experts that are selected in this layer are marked on the map and in the list.
void CoActivationPanel::markPair() {
  std::vector<int> selected;
  for (const ExpertCell& cell : context().selection().experts())
    if (cell.router() == m_router->router()) selected.push_back(cell.expert.value);
  if (selected.size() != 2) {
    m_pair.reset();
  } else if (!m_pair || std::minmax(m_pair->first, m_pair->second) != std::minmax(selected[0], selected[1])) {
    m_pair = std::pair(selected[0], selected[1]);
  }
  m_pairs->mark(m_pair);
  const QSignalBlocker blocker(m_map);
  m_map->setCurrent(std::nullopt);
  const auto* spec = m_map->figure();
  if (!m_pair || spec == nullptr || !spec->map) return;
  const auto& names = spec->map->rowNames;
  const auto placeOf = [&](int expert) {
    return static_cast<int>(std::ranges::find(names, std::to_string(expert)) - names.begin());
  };
  m_map->setCurrent(
      views::FigureHit{views::FigureHit::Kind::Cell, 0, placeOf(m_pair->first), placeOf(m_pair->second)});
}

void CoActivationPanel::choosePair(int from, int to) {
  const auto chosen = m_router->router();
  if (!chosen) return;
  if (from == to) return;  // the cursor may stand on the diagonal
  m_pair = std::pair(from, to);
  context().selection().setRouter(*chosen);
  context().selection().setExperts(
      {{chosen->layer, ExpertIndex{from}, chosen->kind}, {chosen->layer, ExpertIndex{to}, chosen->kind}});
}

views::FigureTip CoActivationPanel::tipOf(const views::FigureHit& hit) const {
  views::FigureTip tip;
  const auto chosen = m_router->router();
  const auto* spec = m_map->figure();
  const auto* matrix =
      result() && chosen ? figure::layerMatrix(*result(), "co_activation", *chosen) : nullptr;
  if (spec == nullptr || !spec->map || matrix == nullptr) return tip;
  const auto row = static_cast<std::size_t>(hit.row), column = static_cast<std::size_t>(hit.column);
  if (row >= spec->map->rowNames.size() || column >= spec->map->columnNames.size()) return tip;
  const auto from = static_cast<std::size_t>(std::stoi(spec->map->rowNames[row]));
  const auto to = static_cast<std::size_t>(std::stoi(spec->map->columnNames[column]));
  const std::size_t experts = matrix->rowNames.size();
  tip.heading =
      tr("Layer %1 · experts %2 and %3").arg(QString::fromStdString(routerLabel(*chosen))).arg(from).arg(to);
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
