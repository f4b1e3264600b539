#include "plugins/phases/phases_panel.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QScrollArea>
#include <QSplitter>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <algorithm>

#include "plugins/phases/live_point.h"
#include "plugins/phases/phases_controls.h"
#include "views/api/figure_table.h"
#include "views/api/panel_widgets.h"
#include "views/api/progress_row.h"
#include "views/api/sample_line.h"
#include "views/api/selection_model.h"

namespace moescope::phases {

namespace {

constexpr int kPadding = 8;
constexpr int kLeastPicture = 120, kLeastBody = 160;
/// A small picture is at least so wide, and a row of them so high; more rows are scrolled.
constexpr int kLeastLayerWidth = 96, kLeastLayerRow = 84, kAroundLayers = 34;
constexpr int kMostLayerColumns = 8;
/// Shares of the pictures above and the small ones below.
constexpr int kTopShare = 3, kBottomShare = 2;
enum Page { kEmptyPage, kBodyPage, kProblemPage };

QString qt(const std::string& text) { return QString::fromStdString(text); }

}  // namespace

PhasesPanel::PhasesPanel(views::ViewContext& context, QWidget* parent)
    : QWidget(parent),
      m_context(context),
      m_loader(new SeriesLoader(context, this)),
      m_liveQuery(new views::QueryRunner(this)),
      m_error(new views::ErrorBar),
      m_controls(new PhasesControls),
      m_sample(new views::SampleLine),
      m_note(new views::TextLabel({}, views::TextLabel::Style::Secondary)),
      m_progress(new views::ProgressRow),
      m_pages(new QStackedWidget) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  m_error->setObjectName(QStringLiteral("error"));
  m_note->setObjectName(QStringLiteral("note"));
  m_note->setContentsMargins(kPadding, 0, kPadding, 2);
  m_note->setWordWrap(true);
  m_pages->addWidget(new views::EmptyState(
      QStringLiteral("trace"), tr("No series of checkpoints"),
      tr("Record the same corpus through several checkpoints of one model with File > Record series…")));
  m_pages->addWidget(makeBody());
  column->addWidget(m_error);
  column->addWidget(m_controls);
  auto* sampleRow = new QHBoxLayout;
  sampleRow->addWidget(m_sample, 1);
  sampleRow->addWidget(m_progress);
  column->addLayout(sampleRow);
  column->addWidget(m_note);
  connect(m_progress, &views::ProgressRow::cancelled, m_loader, &SeriesLoader::cancel);
  column->addWidget(m_pages, 1);
  connectContext();
  refreshList();
}

PhasesPanel::~PhasesPanel() = default;

QWidget* PhasesPanel::makePicture(views::FigureView*& view, QWidget* head, const QString& name,
                                  const QString& accessible) {
  auto* box = new QWidget;
  auto* column = new QVBoxLayout(box);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  view = new views::FigureView;
  view->setObjectName(name);
  view->setAccessibleName(accessible);
  view->setMinimumHeight(kLeastPicture);
  column->addWidget(head);
  column->addWidget(view, 1);
  return box;
}

QWidget* PhasesPanel::makeBody() {
  auto* rows = new QSplitter(Qt::Vertical);
  auto* top = new QSplitter(Qt::Horizontal);
  rows->setChildrenCollapsible(false);
  top->setChildrenCollapsible(false);
  top->addWidget(makePicture(m_course, m_controls->courseHead(), QStringLiteral("course"),
                             tr("Metric over training steps")));
  top->addWidget(
      makePicture(m_plane, m_controls->planeHead(), QStringLiteral("plane"), tr("Plane of two metrics")));
  rows->addWidget(top);
  QWidget* layers = makePicture(m_layers, m_controls->layersHead(), QStringLiteral("layers"),
                                tr("Metric of each layer over training steps"));
  m_layersRoom = new QScrollArea;
  m_layersRoom->setWidgetResizable(true);
  m_layersRoom->setFrameShape(QFrame::NoFrame);
  m_layersRoom->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_layersRoom->setMinimumHeight(kLeastPicture);
  m_layersRoom->setFocusPolicy(Qt::NoFocus);
  layers->layout()->removeWidget(m_layers);
  m_layersRoom->setWidget(m_layers);
  static_cast<QVBoxLayout*>(layers->layout())->addWidget(m_layersRoom, 1);
  m_layersRoom->viewport()->installEventFilter(this);
  rows->addWidget(layers);
  rows->setStretchFactor(0, kTopShare);
  rows->setStretchFactor(1, kBottomShare);
  connectPictures();
  // In a low dock the pictures are scrolled; the dock never grows over its neighbours.
  auto* room = new QScrollArea;
  room->setWidgetResizable(true);
  room->setFrameShape(QFrame::NoFrame);
  room->setFocusPolicy(Qt::NoFocus);
  room->setMinimumHeight(kLeastBody);
  room->setWidget(rows);
  rows->setAutoFillBackground(false);
  room->viewport()->setAutoFillBackground(false);
  return room;
}

void PhasesPanel::connectPictures() {
  const auto column = [this] { return m_controls->column(); };
  m_course->setTips([this, column](const views::FigureHit& hit) {
    // A second line under a single series is the level to compare with.
    const int line = m_series && m_series->size() == 1 ? 0 : hit.row;
    return tipOf(line, hit.column, column());
  });
  m_plane->setTips([this, column](const views::FigureHit& hit) {
    const bool isLive = m_series && hit.row >= static_cast<int>(m_series->size());
    return isLive ? liveTip() : tipOf(hit.row, hit.column, column());
  });
  // In the small pictures line 0 is the mean of the layers and line 1 the layer; both have the same points.
  m_layers->setTips(
      [this](const views::FigureHit& hit) { return tipOf(0, hit.column, hit.row == 0 ? 0 : hit.panel + 1); });
  connect(m_course, &views::FigureView::activated, this, [this](const views::FigureHit& hit) {
    openRun(m_series && m_series->size() == 1 ? 0 : hit.row, hit.column);
  });
  connect(m_plane, &views::FigureView::activated, this,
          [this](const views::FigureHit& hit) { openRun(hit.row, hit.column); });
  connect(m_layers, &views::FigureView::activated, this,
          [this](const views::FigureHit& hit) { openRun(0, hit.column); });
  views::addTableAction(m_course, [this] { return courseFigure(); });
  views::addTableAction(m_plane, [this] { return planeFigure(); });
  views::addTableAction(m_layers, [this] { return layersFigure(); });
}

bool PhasesPanel::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::Resize && watched == m_layersRoom->viewport() && m_series &&
      layerColumns() != m_layerColumns)
    refreshFigures();
  return QWidget::eventFilter(watched, event);
}

int PhasesPanel::layerColumns() const {
  const int layers = m_series && !m_series->empty() ? static_cast<int>(m_series->front().layers.size()) : 1;
  const int room = m_layersRoom->viewport()->width() - kAroundLayers;
  const int most = std::clamp(room / kLeastLayerWidth, 1, kMostLayerColumns);
  const int rows = (layers + most - 1) / most;
  return rows > 0 ? (layers + rows - 1) / rows : 1;
}

void PhasesPanel::connectContext() {
  connect(&m_context, &views::ViewContext::storeReplaced, this, [this] {
    m_runs = 0;  // another file may have series of the same numbers
    forget();
    refreshList();
  });
  connect(&m_context, &views::ViewContext::runsChanged, this, [this] {
    refreshList();
    refreshLive();
  });
  connect(&m_context, &views::ViewContext::rowsChanged, this, &PhasesPanel::refreshLive);
  connect(&m_context, &views::ViewContext::liveStateChanged, this, &PhasesPanel::refreshLive);
  connect(&m_context.selection(), &views::SelectionModel::runChanged, this, [this] {
    refreshFigures();
    refreshLive();
  });
  connect(m_controls, &PhasesControls::seriesChanged, this, &PhasesPanel::reload);
  connect(m_controls, &PhasesControls::viewChanged, this, [this] {
    refreshSample();
    refreshFigures();
    refreshLive();
  });
  connect(m_loader, &SeriesLoader::changed, this, &PhasesPanel::showSeries);
  connect(m_loader, &SeriesLoader::failed, this, &PhasesPanel::showProblem);
  connect(m_loader, &SeriesLoader::finished, this, [this] {
    m_progress->hide();
    m_sample->setStale(false);
  });
  connect(m_loader, &SeriesLoader::progressed, m_progress, &views::ProgressRow::report);
}

void PhasesPanel::refreshList() {
  const auto store = m_context.store();
  const auto series = store ? store->allSeries() : std::vector<trace::SeriesRecord>{};
  const qlonglong before = m_controls->series();
  m_controls->setSeries(series);
  const bool isNew = before != m_controls->series();
  std::size_t runs = 0;
  for (const auto& one : series) runs += one.runs.size();
  if (series.empty()) {
    m_loader->cancel();
    forget();
    m_pages->setCurrentIndex(kEmptyPage);
    m_runs = 0;
  } else if (isNew || runs != m_runs) {
    m_runs = runs;
    reload();
  }
}

void PhasesPanel::reload() {
  const auto store = m_context.store();
  if (!store) return;
  std::vector<plugin::SeriesRequest> requests;
  for (const trace::SeriesRecord& one : store->allSeries()) {
    if (m_controls->series() != PhasesControls::kAllSeries && m_controls->series() != one.id) continue;
    plugin::SeriesRequest request;
    request.name = one.name;
    request.series = std::to_string(one.id);
    request.estimator = m_controls->estimator();
    requests.push_back(std::move(request));
  }
  m_sample->setStale(true);
  m_loader->load(std::move(requests));
}

void PhasesPanel::forget() {
  m_series.reset();
  m_live.reset();
  m_sample->setSample({}, {}, {});
  m_note->clear();
  m_note->hide();
  m_note->setToolTip({});
}

void PhasesPanel::showProblem(const Error& error, bool nothing) {
  if (!nothing) {
    m_error->showError(qt(error.text()));
    return;
  }
  forget();
  if (QWidget* before = m_pages->widget(kProblemPage)) {
    m_pages->removeWidget(before);
    before->deleteLater();
  }
  const auto sentence = [](std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
    return qt(text);
  };
  m_pages->addWidget(
      new views::EmptyState(QStringLiteral("trace"), sentence(error.message), sentence(error.advice)));
  m_pages->setCurrentIndex(kProblemPage);
}

void PhasesPanel::showSeries(std::shared_ptr<const SeriesLoader::Series> series) {
  if (series->empty()) return;
  m_series = std::move(series);
  m_controls->setMetrics(m_series->front());
  m_pages->setCurrentIndex(kBodyPage);
  refreshSample();
  refreshFigures();
  refreshLive();
}

void PhasesPanel::refreshSample() {
  if (!m_series) return;
  const analysis::SeriesMetrics& first = m_series->front();
  bool isFit = false;
  for (const std::string& id : {m_controls->metric(), m_controls->planeX(), m_controls->planeY()}) {
    const analysis::SeriesMetric* metric = first.metric(id);
    isFit = isFit || (metric != nullptr && metric->group == analysis::MetricGroup::Congestion);
  }
  const QString kind = isFit ? tr("Congestion fit (R1), ") : QString();
  m_sample->setSample(kind + tr("%1 checkpoints · %2 · %3")
                                 .arg(first.checkpoints.size())
                                 .arg(qt(first.sample), qt(first.interval)),
                      qt(first.name), {});
  QStringList said, notes;
  for (const analysis::SeriesMetrics& series : *m_series) {
    const QString of = m_series->size() > 1 ? qt(series.name) + QStringLiteral(": ") : QString();
    if (!series.phasesNote.empty()) said << of + qt(series.phasesNote);
    for (const std::string& missing : series.missing) {
      // Why there are no phases says already why there is no fit.
      if (!missing.starts_with("No congestion fit") || series.phasesNote.empty()) said << of + qt(missing);
    }
    for (const std::string& note : series.notes) notes << of + qt(note);
  }
  m_note->setText(said.join(QLatin1Char('\n')));
  m_note->setVisible(!said.isEmpty());
  m_note->setToolTip(notes.join(QLatin1Char('\n')));
}

void PhasesPanel::refreshFigures() {
  if (!m_series) return;
  m_course->setResult(courseFigure());
  m_plane->setResult(planeFigure());
  m_layerColumns = layerColumns();
  const int layers = static_cast<int>(m_series->front().layers.size());
  const int rows = (layers + m_layerColumns - 1) / m_layerColumns;
  m_layers->setMinimumHeight(rows > 1 ? rows * kLeastLayerRow + kAroundLayers : kLeastLayerRow);
  // What the row above says already, the small pictures need not.
  auto layersSpec = layersFigure();
  if (layersSpec) {
    layersSpec->y.label.clear();
    for (figure::FigurePanel& panel : layersSpec->panels) {
      for (figure::Line& line : panel.lines) line.name.clear();
    }
  }
  m_layers->setResult(std::move(layersSpec));
}

void PhasesPanel::refreshLive() {
  const auto store = m_context.store();
  const auto selected = m_context.selection().run();
  const auto run = store && selected ? store->run(*selected) : std::nullopt;
  if (!m_series || !run || run->kind != trace::RunKind::Generate) {
    if (m_live) {
      m_live.reset();
      refreshFigures();
    }
    return;
  }
  auto work = [this, store, run = *run, x = m_controls->planeX(), y = m_controls->planeY(),
               column = m_controls->column(), live = m_context.isLive(run->id)](const std::stop_token&) {
    const auto xValue = liveValue(*store, run, x, column);
    const auto yValue = liveValue(*store, run, y, column);
    std::optional<figure::SeriesExtraPoint> point;
    if (xValue && yValue) point = {live ? "live" : run.name, *xValue, *yValue};
    return views::QueryRunner::Delivery([this, point] {
      m_live = point;
      m_plane->setResult(planeFigure());
    });
  };
  m_liveQuery->request(std::move(work), views::QueryRunner::Urgency::Refresh);
}

void PhasesPanel::openRun(int line, int point) {
  if (!m_series || line < 0 || line >= static_cast<int>(m_series->size())) return;
  const auto& checkpoints = (*m_series)[static_cast<std::size_t>(line)].checkpoints;
  if (point >= 0 && point < static_cast<int>(checkpoints.size()))
    m_context.selection().setRun(checkpoints[static_cast<std::size_t>(point)].run);
}

}  // namespace moescope::phases
