// SpecializationPanel: which labels choose which experts, what a layer tells about the label or the token,
// and one expert's rates and top tokens. Not for computing them (the analyses of this plug-in).
#pragma once

#include <QWidget>

#include <memory>
#include <optional>

#include "core/analysis/analysis_result.h"
#include "views/api/figure_source.h"
#include "views/api/figure_view.h"
#include "views/api/run_analysis_panel.h"

class QSplitter;
class QTabWidget;

namespace moescope::views {
class AnalysisJob;
}

namespace moescope::specialization {

class CellTokens;
class ColumnOutline;
class SpecializationControls;

/// GUI thread only.
class SpecializationPanel : public views::RunAnalysisPanel, public views::FigureSource {
  Q_OBJECT

 public:
  explicit SpecializationPanel(views::ViewContext& context, QWidget* parent = nullptr);
  ~SpecializationPanel() override;

  [[nodiscard]] std::vector<views::NamedFigure> figures() override;
  [[nodiscard]] bool busy() const override;

 protected:
  void runChosen(const trace::RunRecord& run) override;
  void resultChanged() override;
  void resultGone() override { m_label.reset(); }
  void resizeEvent(QResizeEvent* event) override;

 private:
  QWidget* makeBody();
  QWidget* makeDetails();
  void connectSelection();
  void connectControls();
  void restart();
  void restartVocabulary();
  [[nodiscard]] QString chanceText() const;
  void refreshFigures();
  void refreshTokens();
  void shareRoom();
  void placeCursor(std::optional<views::FigureHit> before);
  void followRouter();
  void followExperts();
  void chooseCell(const views::FigureHit& hit);
  void openCell(const views::FigureHit& hit);

  [[nodiscard]] std::optional<ExpertCell> expert() const;
  [[nodiscard]] views::FigureTip tipOf(const views::FigureHit& hit) const;
  [[nodiscard]] Result<figure::FigureSpec> mapFigure() const;
  [[nodiscard]] Result<figure::FigureSpec> informationFigure() const;
  [[nodiscard]] Result<figure::FigureSpec> vocabularyFigure() const;
  [[nodiscard]] Result<figure::FigureSpec> ratesFigure() const;
  [[nodiscard]] std::optional<int> columnOf(const ExpertCell& cell) const;

  views::AnalysisJob* m_vocabularyJob = nullptr;
  ResultPtr m_vocabulary;
  std::string m_source;  // the labels of the result
  std::optional<ExpertCell> m_expert;
  std::optional<std::string> m_label;  // of the cell whose tokens are listed
  bool m_choosing = false;             // the selection changes because of this panel
  bool m_roomy = true;                 // headings and names of axes have room
  bool m_shared = false;               // the user has moved the splitter

  SpecializationControls* m_controls;
  views::FigureView* m_map = nullptr;
  views::FigureView* m_information = nullptr;
  views::FigureView* m_byToken = nullptr;
  views::FigureView* m_rates = nullptr;
  QSplitter* m_rows = nullptr;         // the map and the details
  QSplitter* m_detailParts = nullptr;  // of layers and of an expert
  QTabWidget* m_details = nullptr;
  ColumnOutline* m_outline = nullptr;
  CellTokens* m_cellTokens = nullptr;
};

}  // namespace moescope::specialization
