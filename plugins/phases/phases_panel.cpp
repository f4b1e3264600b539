#include "plugins/phases/phases_panel.h"

#include <QLabel>
#include <QSplitter>
#include <QStackedWidget>
#include <QVBoxLayout>

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
constexpr int kLeastPicture = 140;
enum Page { kEmptyPage, kBodyPage };

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
  column->addWidget(m_sample);
  column->addWidget(m_note);
  column->addWidget(m_progress);
  connect(m_progress, &views::ProgressRow::cancelled, m_loader, &SeriesLoader::cancel);
  column->addWidget(m_pages, 1);
  connectContext();
  refreshList();
}

PhasesPanel::~PhasesPanel() = default;

QWidget* PhasesPanel::makeBody() {
  auto* rows = new QSplitter(Qt::Vertical);
  auto* top = new QSplitter(Qt::Horizontal);
  rows->setChildrenCollapsible(false);
  top->setChildrenCollapsible(false);
  const auto add = [](QSplitter* splitter, const QString& name, const QString& accessible) {
    auto* view = new views::FigureView;
    view->setObjectName(name);
    view->setAccessibleName(accessible);
    view->setMinimumHeight(kLeastPicture);
    splitter->addWidget(view);
    return view;
  };
  m_course = add(top, QStringLiteral("course"), tr("Metric over training steps"));
  m_plane = add(top, QStringLiteral("plane"), tr("Plane of two metrics"));
  rows->addWidget(top);
  m_layers = add(rows, QStringLiteral("layers"), tr("Metric of each layer over training steps"));
  rows->setStretchFactor(0, 3);
  rows->setStretchFactor(1, 2);
  for (views::FigureView* view : {m_course, m_plane}) {
    view->setTips([this](const views::FigureHit& hit) { return tipOf(hit.row, hit.column); });
    connect(view, &views::FigureView::activated, this,
            [this](const views::FigureHit& hit) { openRun(hit.row, hit.column); });
  }
  // In the small pictures line 0 is the mean of the layers and line 1 the layer; both have the same points.
  m_layers->setTips([this](const views::FigureHit& hit) { return tipOf(0, hit.column); });
  connect(m_layers, &views::FigureView::activated, this,
          [this](const views::FigureHit& hit) { openRun(0, hit.column); });
  views::addTableAction(m_course, [this] { return courseFigure(); });
  views::addTableAction(m_plane, [this] { return planeFigure(); });
  views::addTableAction(m_layers, [this] { return layersFigure(); });
  return rows;
}

void PhasesPanel::connectContext() {
  connect(&m_context, &views::ViewContext::storeReplaced, this, &PhasesPanel::refreshList);
  connect(&m_context, &views::ViewContext::runsChanged, this, &PhasesPanel::refreshList);
  connect(&m_context, &views::ViewContext::rowsChanged, this, &PhasesPanel::refreshLive);
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
  connect(m_loader, &SeriesLoader::failed, m_error, &views::ErrorBar::showError);
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
  const bool isNew = !m_series || before != m_controls->series();
  std::size_t runs = 0;
  for (const auto& one : series) runs += one.runs.size();
  if (series.empty()) {
    m_loader->cancel();
    m_series.reset();
    m_pages->setCurrentIndex(kEmptyPage);
    m_sample->setSample({}, {}, {});
    m_note->clear();
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
  const bool isFit =
      m_controls->metric() == "gamma" || m_controls->planeX() == "gamma" || m_controls->planeY() == "gamma";
  const QString kind = isFit ? tr("Congestion fit (R1), ") : QString();
  m_sample->setSample(kind + tr("%1 checkpoints · %2 · %3")
                                 .arg(first.checkpoints.size())
                                 .arg(qt(first.sample), qt(first.interval)),
                      qt(first.name), {});
  m_note->setText(qt(first.phasesNote));
  QStringList notes;
  for (const std::string& note : first.notes) notes << qt(note);
  m_note->setToolTip(notes.join(QLatin1Char('\n')));
}

void PhasesPanel::refreshFigures() {
  if (!m_series) return;
  m_course->setResult(courseFigure());
  m_plane->setResult(planeFigure());
  m_layers->setResult(layersFigure());
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
