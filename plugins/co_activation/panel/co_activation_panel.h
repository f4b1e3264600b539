// CoActivationPanel: the matrix of experts that serve the same tokens, in clustering order, and the strongest
// pairs. Not for computing them (the analysis of this plug-in).
#pragma once

#include <QWidget>

#include <memory>
#include <optional>

#include "core/analysis/analysis_result.h"
#include "views/api/figure_source.h"
#include "views/api/figure_view.h"
#include "views/api/run_analysis_panel.h"

class QComboBox;
class QHBoxLayout;

namespace moescope::views {
class RouterBox;
}

namespace moescope::co_activation {

class PairList;
class SquareMap;

/// GUI thread only.
class CoActivationPanel : public views::RunAnalysisPanel, public views::FigureSource {
  Q_OBJECT

 public:
  explicit CoActivationPanel(views::ViewContext& context, QWidget* parent = nullptr);
  ~CoActivationPanel() override;

  [[nodiscard]] std::vector<views::NamedFigure> figures() override;

 protected:
  void runChosen(const trace::RunRecord& run) override;
  void resultChanged() override { refresh(); }

 private:
  QWidget* makeToolBar();
  QComboBox* addBox(QHBoxLayout* row, const QString& name, const QString& label, const QString& toolTip,
                    QComboBox* box = nullptr);
  QWidget* makeBody();
  void restart();
  void followSelection();
  void refresh();
  void choosePair(int from, int to);
  void markPair();
  [[nodiscard]] QString chanceText() const;
  [[nodiscard]] Result<figure::FigureSpec> mapFigure() const;
  [[nodiscard]] views::FigureTip tipOf(const views::FigureHit& hit) const;

  std::optional<std::pair<int, int>> m_pair;  // the selected experts as they were chosen: i, j

  views::RouterBox* m_router = nullptr;
  QComboBox* m_kind = nullptr;
  QComboBox* m_order = nullptr;
  views::FigureView* m_map = nullptr;
  SquareMap* m_square = nullptr;
  PairList* m_pairs = nullptr;
};

}  // namespace moescope::co_activation
