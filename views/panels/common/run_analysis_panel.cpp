#include "views/api/run_analysis_panel.h"

#include <QHBoxLayout>
#include <QStackedWidget>
#include <QVBoxLayout>

#include "core/figure/number_text.h"
#include "views/api/analysis_job.h"
#include "views/api/figure_view.h"
#include "views/api/progress_row.h"
#include "views/api/sample_line.h"
#include "views/api/selection_model.h"

namespace moescope::views {

namespace {

enum Page { kMissingPage, kBodyPage };

QString qt(const std::string& text) { return QString::fromStdString(text); }

/// How intervals were made, in a few words; the whole sentence is in the tool tip.
QString shortInterval(const std::string& interval) {
  const QString text = qt(interval);
  if (text.startsWith(QLatin1String("none"))) return RunAnalysisPanel::tr("no intervals");
  const QString draws = text.section(QStringLiteral("bootstrap of "), 1).section(u' ', 0, 0);
  return (text.contains(QLatin1String("window")) ? RunAnalysisPanel::tr("95 % of %1 draws of windows")
                                                 : RunAnalysisPanel::tr("95 % of %1 draws of texts"))
      .arg(draws);
}

}  // namespace

RunAnalysisPanel::RunAnalysisPanel(ViewContext& context, Words words, QWidget* parent)
    : QWidget(parent),
      m_context(context),
      m_words(std::move(words)),
      m_sample(new SampleLine),
      m_progress(new ProgressRow),
      m_pages(new QStackedWidget),
      m_missing(new FigureView) {
  m_missing->setObjectName(QStringLiteral("missing"));
  if (m_context.plugins() != nullptr) m_job = new AnalysisJob(*m_context.plugins(), this);
}

RunAnalysisPanel::~RunAnalysisPanel() = default;

bool RunAnalysisPanel::busy() const { return m_job != nullptr && m_job->running(); }

void RunAnalysisPanel::setParts(QWidget* controls, QWidget* body) {
  m_pages->addWidget(m_missing);
  m_pages->addWidget(body);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  column->addWidget(controls);
  auto* sampleRow = new QHBoxLayout;
  sampleRow->addWidget(m_sample, 1);
  sampleRow->addWidget(m_progress);
  column->addLayout(sampleRow);
  column->addWidget(m_pages, 1);
  connectContext();
  if (m_job != nullptr) connectJob();
}

void RunAnalysisPanel::connectContext() {
  connect(&m_context, &ViewContext::storeReplaced, this, [this] {
    m_run.reset();
    followRun();
  });
  connect(&m_context, &ViewContext::runsChanged, this, &RunAnalysisPanel::followRun);
  connect(&m_context, &ViewContext::liveStateChanged, this, &RunAnalysisPanel::followRun);
  connect(&m_context.selection(), &SelectionModel::runChanged, this, &RunAnalysisPanel::followRun);
}

void RunAnalysisPanel::connectJob() {
  const auto show = [this](const ResultPtr& result) {
    m_result = result;
    m_pages->setCurrentIndex(kBodyPage);
    resultChanged();
  };
  connect(m_job, &AnalysisJob::partialReady, this, show);
  connect(m_job, &AnalysisJob::finished, this, [this, show](const ResultPtr& result) {
    m_progress->hide();
    m_sample->setStale(false);
    show(result);
  });
  connect(m_job, &AnalysisJob::failed, this, [this](const QString& text) {
    // Errors are parts of a line.
    showMissing(m_words.nothing, text.left(1).toUpper() + text.mid(1));
  });
  connect(m_job, &AnalysisJob::progressed, m_progress, &ProgressRow::report);
  connect(m_progress, &ProgressRow::cancelled, this, [this] {
    if (!m_result) {
      showMissing(tr("Cancelled"), m_words.howToRestart);
      return;
    }
    m_job->cancel();
    m_progress->hide();
    m_sample->setStale(false);
  });
}

void RunAnalysisPanel::followRun() {
  const auto store = m_context.store();
  const auto selected = m_context.selection().run();
  const auto run = store && selected ? store->run(*selected) : std::nullopt;
  if (run && m_context.isLive(run->id)) {
    if (m_run == run->id && m_result) return;  // a text that goes on keeps what is known of it
    m_run.reset();
    showMissing(tr("The run is being recorded"), m_words.whenEnded);
    return;
  }
  if (!run || run->routedTokens == 0) {
    m_run.reset();
    showMissing(tr("No routing recorded"), m_words.howToRecord);
    return;
  }
  if (m_run == run->id && m_tokens == run->routedTokens) return;
  m_run = run->id;
  m_tokens = run->routedTokens;
  runChosen(*run);
}

plugin::AnalysisRequest RunAnalysisPanel::request(const std::string& analysis) const {
  plugin::AnalysisRequest request;
  request.analysis = analysis;
  if (m_run) request.run = std::to_string(*m_run);
  return request;
}

void RunAnalysisPanel::begin(plugin::AnalysisRequest request) {
  if (m_job == nullptr || !m_run) return;
  if (!m_result) m_missing->setEmpty(m_words.working, QString());
  m_sample->setStale(true);
  m_job->start(m_context.store(), std::move(request));
}

void RunAnalysisPanel::showMissing(const QString& heading, const QString& text) {
  if (m_job != nullptr) m_job->cancel();
  m_progress->hide();
  m_result.reset();
  resultGone();
  m_missing->setEmpty(heading, text);
  m_pages->setCurrentIndex(kMissingPage);
  m_sample->setSample({}, {}, {});
  m_sample->setToolTip({});
}

void RunAnalysisPanel::showSample(const QString& baseline, const QString& more) {
  const auto store = m_context.store();
  const auto run = store && m_run ? store->run(*m_run) : std::nullopt;
  if (!run || !m_result) return;
  const auto counted = [](std::int64_t count) { return qt(figure::countText(count)); };
  const QString name = qt(run->name);
  QString sample =
      tr("Run %1 · %2 tokens in %3 texts · %4")
          .arg(name, counted(run->routedTokens), counted(run->sequences), shortInterval(m_result->interval));
  if (!more.isEmpty()) sample += QStringLiteral(" · ") + more;
  m_sample->setSample(sample, name, baseline);
  QStringList lines{qt(m_result->sample), tr("Intervals: %1").arg(qt(m_result->interval)),
                    tr("Baseline: %1").arg(qt(m_result->baseline))};
  for (const std::string& note : m_result->notes) lines << qt(note);
  m_sample->setToolTip(lines.join(QLatin1Char('\n')));
}

}  // namespace moescope::views
