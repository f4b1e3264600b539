// CoActivationPanel: the matrix of experts that serve the same tokens, in clustering order, and the strongest
// pairs. Not for computing them (the analysis of this plug-in).
#pragma once

#include <QWidget>

#include <memory>
#include <optional>

#include "core/analysis/analysis_result.h"
#include "views/api/figure_source.h"
#include "views/api/figure_view.h"
#include "views/api/view_context.h"

class QComboBox;
class QHBoxLayout;
class QStackedWidget;
class QTableWidget;

namespace moescope::views {
class AnalysisJob;
class ProgressRow;
class SampleLine;
}  // namespace moescope::views

namespace moescope::co_activation {

class SquareMap;

/// GUI thread only.
class CoActivationPanel : public QWidget, public views::FigureSource {
  Q_OBJECT

 public:
  explicit CoActivationPanel(views::ViewContext& context, QWidget* parent = nullptr);
  ~CoActivationPanel() override;

  [[nodiscard]] std::vector<views::NamedFigure> figures() override;
  [[nodiscard]] std::shared_ptr<const analysis::AnalysisResult> result() const { return m_result; }
  [[nodiscard]] bool busy() const;

 private:
  QWidget* makeToolBar();
  QComboBox* addBox(QHBoxLayout* row, const QString& name, const QString& label, const QString& toolTip);
  QWidget* makeBody();
  void connectContext();
  void connectJob();
  void refreshRun();
  void restart();
  void showResult(std::shared_ptr<const analysis::AnalysisResult> result);
  void showMissing(const QString& heading, const QString& text);
  void refresh();
  void refreshPairs();
  void choosePair(int from, int to);
  void markPair();
  void showSample();
  [[nodiscard]] QString chanceText() const;
  [[nodiscard]] std::optional<LayerIndex> layer() const;
  [[nodiscard]] Result<figure::FigureSpec> mapFigure() const;
  [[nodiscard]] views::FigureTip tipOf(const views::FigureHit& hit) const;

  views::ViewContext& m_context;
  views::AnalysisJob* m_job = nullptr;
  std::shared_ptr<const analysis::AnalysisResult> m_result;
  std::optional<trace::RunId> m_run;
  std::int64_t m_tokens = 0;
  std::optional<std::pair<int, int>> m_pair;  // the selected experts as they were chosen: i, j

  QComboBox* m_layer = nullptr;
  QComboBox* m_kind = nullptr;
  QComboBox* m_order = nullptr;
  views::SampleLine* m_sample;
  views::ProgressRow* m_progress;
  QStackedWidget* m_pages;
  views::FigureView* m_missing = nullptr;
  views::FigureView* m_map = nullptr;
  SquareMap* m_square = nullptr;
  QTableWidget* m_pairs = nullptr;
};

}  // namespace moescope::co_activation
