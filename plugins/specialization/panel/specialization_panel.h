// SpecializationPanel: which labels choose which experts, what a layer tells about the label or the token,
// and one expert's rates and top tokens. Not for computing them (the analyses of this plug-in).
#pragma once

#include <QWidget>

#include <memory>
#include <optional>

#include "core/analysis/analysis_result.h"
#include "views/api/figure_source.h"
#include "views/api/figure_view.h"
#include "views/api/view_context.h"

class QStackedWidget;
class QTabWidget;
class QTableWidget;

namespace moescope::plugin {
struct AnalysisRequest;
}
namespace moescope::views {
class AnalysisJob;
class ErrorBar;
class ProgressRow;
class SampleLine;
}  // namespace moescope::views

namespace moescope::specialization {

class SpecializationControls;

/// GUI thread only.
class SpecializationPanel : public QWidget, public views::FigureSource {
  Q_OBJECT

 public:
  explicit SpecializationPanel(views::ViewContext& context, QWidget* parent = nullptr);
  ~SpecializationPanel() override;

  [[nodiscard]] std::vector<views::NamedFigure> figures() override;
  [[nodiscard]] std::shared_ptr<const analysis::AnalysisResult> result() const { return m_result; }
  [[nodiscard]] bool busy() const;

 private:
  using ResultPtr = std::shared_ptr<const analysis::AnalysisResult>;

  QWidget* makeBody();
  QWidget* makeTokens();
  void connectContext();
  void connectJobs();
  void refreshRun();
  void restart();
  void restartVocabulary();
  void restartTokens();
  void showResult(ResultPtr result);
  void showTokens(const analysis::AnalysisResult& result);
  void refreshFigures();
  void refreshExpert();
  void followSelection();
  void chooseCell(const views::FigureHit& hit);
  void showMissing(const QString& heading, const QString& text);

  [[nodiscard]] plugin::AnalysisRequest request(const std::string& analysis) const;
  [[nodiscard]] std::optional<ExpertCell> expert() const;
  [[nodiscard]] views::FigureTip tipOf(const views::FigureHit& hit) const;
  [[nodiscard]] Result<figure::FigureSpec> mapFigure() const;
  [[nodiscard]] Result<figure::FigureSpec> informationFigure() const;
  [[nodiscard]] Result<figure::FigureSpec> vocabularyFigure() const;
  [[nodiscard]] Result<figure::FigureSpec> ratesFigure() const;

  views::ViewContext& m_context;
  views::AnalysisJob* m_job = nullptr;
  views::AnalysisJob* m_vocabularyJob = nullptr;
  views::AnalysisJob* m_tokensJob = nullptr;
  ResultPtr m_result, m_vocabulary;
  std::optional<trace::RunId> m_run;
  std::int64_t m_tokens = 0;  // of the run when it was last analysed
  std::optional<ExpertCell> m_expert;

  views::ErrorBar* m_error;
  SpecializationControls* m_controls;
  views::SampleLine* m_sample;
  views::ProgressRow* m_progress;
  QStackedWidget* m_pages;
  views::FigureView* m_missing = nullptr;
  views::FigureView* m_map = nullptr;
  views::FigureView* m_information = nullptr;
  views::FigureView* m_byToken = nullptr;
  views::FigureView* m_rates = nullptr;
  QTableWidget* m_table = nullptr;
};

}  // namespace moescope::specialization
