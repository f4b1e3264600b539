// RunAnalysisPanel: what panels share that show one analysis of the selected run: they follow the run, show
// progress, and say what is missing. Not for analyses of series or of several runs.
#pragma once

#include <QWidget>

#include <memory>
#include <optional>

#include "core/plugin/analysis_runner.h"
#include "views/api/view_context.h"

class QStackedWidget;

namespace moescope::views {

class AnalysisJob;
class FigureView;
class ProgressRow;
class SampleLine;

/// GUI thread only. A run that is being written is analysed when it has ended: half of it would mislead.
class RunAnalysisPanel : public QWidget {
  Q_OBJECT

 public:
  using ResultPtr = std::shared_ptr<const analysis::AnalysisResult>;

  /// Sentences for what is not there.
  struct Words {
    QString nothing;      ///< heading over an error: "No co-activation to show"
    QString working;      ///< "Counting pairs…"
    QString whenEnded;    ///< what happens when a run that is being recorded has ended
    QString howToRecord;  ///< what to do where nothing was recorded
    QString howToRestart;
  };

  ~RunAnalysisPanel() override;

  /// Null while there is none.
  [[nodiscard]] ResultPtr result() const { return m_result; }
  [[nodiscard]] virtual bool busy() const;

 protected:
  RunAnalysisPanel(ViewContext& context, Words words, QWidget* parent);

  /// Lays the panel out; the derived constructor calls it once, then followRun().
  void setParts(QWidget* controls, QWidget* body);
  void followRun();

  /// Another run is looked at, or it has grown: fill the controls and begin().
  virtual void runChosen(const trace::RunRecord& run) = 0;
  /// result() is another one; it is on the screen already.
  virtual void resultChanged() = 0;
  virtual void resultGone() {}

  [[nodiscard]] ViewContext& context() const { return m_context; }
  [[nodiscard]] std::optional<trace::RunId> run() const { return m_run; }
  [[nodiscard]] std::int64_t tokens() const { return m_tokens; }  ///< of the run when it was last analysed
  /// A request for an analysis of the run.
  [[nodiscard]] plugin::AnalysisRequest request(const std::string& analysis) const;
  /// Starts the analysis whose result the panel shows; what runs is stopped.
  void begin(plugin::AnalysisRequest request);
  /// No result; what is being computed is not wanted any more.
  void showMissing(const QString& heading, const QString& text);
  /// The line under the tool bar, with the analysis's own words in its tool tip. `more` is put behind it.
  void showSample(const QString& baseline, const QString& more = {});

 private:
  void connectContext();
  void connectJob();

  ViewContext& m_context;
  Words m_words;
  AnalysisJob* m_job = nullptr;
  ResultPtr m_result;
  std::optional<trace::RunId> m_run;
  std::int64_t m_tokens = 0;

  SampleLine* m_sample;
  ProgressRow* m_progress;
  QStackedWidget* m_pages;
  FigureView* m_missing;
};

}  // namespace moescope::views
