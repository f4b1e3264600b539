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

class QSplitter;
class QStackedWidget;
class QTabWidget;

namespace moescope::plugin {
struct AnalysisRequest;
}
namespace moescope::views {
class AnalysisJob;
class ProgressRow;
class SampleLine;
}  // namespace moescope::views

namespace moescope::specialization {

class CellTokens;
class ColumnOutline;
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

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  using ResultPtr = std::shared_ptr<const analysis::AnalysisResult>;

  QWidget* makeBody();
  QWidget* makeDetails();
  void connectContext();
  void connectJobs();
  void refreshRun();
  void restart();
  void restartVocabulary();
  void showResult(ResultPtr result);
  void showSample();
  void refreshFigures();
  void refreshTokens();
  void shareHeight();
  void placeCursor(std::optional<views::FigureHit> before);
  void followLayer();
  void followExperts();
  void chooseCell(const views::FigureHit& hit);
  void openCell(const views::FigureHit& hit);
  void showMissing(const QString& heading, const QString& text);

  [[nodiscard]] plugin::AnalysisRequest request(const std::string& analysis) const;
  [[nodiscard]] std::optional<ExpertCell> expert() const;
  [[nodiscard]] views::FigureTip tipOf(const views::FigureHit& hit) const;
  [[nodiscard]] Result<figure::FigureSpec> mapFigure() const;
  [[nodiscard]] Result<figure::FigureSpec> informationFigure() const;
  [[nodiscard]] Result<figure::FigureSpec> vocabularyFigure() const;
  [[nodiscard]] Result<figure::FigureSpec> ratesFigure() const;
  [[nodiscard]] std::optional<int> columnOf(ExpertCell cell) const;

  views::ViewContext& m_context;
  views::AnalysisJob* m_job = nullptr;
  views::AnalysisJob* m_vocabularyJob = nullptr;
  ResultPtr m_result, m_vocabulary;
  std::optional<trace::RunId> m_run;
  std::int64_t m_tokens = 0;  // of the run when it was last analysed
  std::string m_source;       // the labels of m_result
  std::optional<ExpertCell> m_expert;
  std::optional<std::string> m_label;  // of the cell whose tokens are listed
  bool m_choosing = false;             // the selection changes because of this panel
  bool m_roomy = true;                 // headings and names of axes have room
  bool m_shared = false;               // the user has moved the splitter

  SpecializationControls* m_controls;
  views::SampleLine* m_sample;
  views::ProgressRow* m_progress;
  QStackedWidget* m_pages;
  views::FigureView* m_missing = nullptr;
  views::FigureView* m_map = nullptr;
  views::FigureView* m_information = nullptr;
  views::FigureView* m_byToken = nullptr;
  views::FigureView* m_rates = nullptr;
  QSplitter* m_rows = nullptr;
  QTabWidget* m_details = nullptr;
  ColumnOutline* m_outline = nullptr;
  CellTokens* m_cellTokens = nullptr;
};

}  // namespace moescope::specialization
