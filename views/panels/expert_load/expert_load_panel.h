// ExpertLoadPanel: how evenly the experts of a layer are used: bars, metrics, and one metric over the tokens.
// Not for computing them (load_picture.h) or for maps of all layers.
#pragma once

#include <QWidget>

#include <memory>

#include "core/figure/figure_spec.h"
#include "views/panels/expert_load/load_picture.h"

class QAction;
class QComboBox;
class QStackedWidget;
class QTableView;

namespace moescope::views {

class CanvasWidget;
class ErrorBar;
class ExpertActions;
class LoadBarsCanvas;
class LoadCourseCanvas;
class LoadMetricsModel;
class QueryRunner;
class RouterBox;
class SampleLine;
class ViewContext;

/// GUI thread only.
class ExpertLoadPanel : public QWidget {
  Q_OBJECT

 public:
  explicit ExpertLoadPanel(ViewContext& context, QWidget* parent = nullptr);
  ~ExpertLoadPanel() override;

  /// The shown figures, for export. Errors: `figure.no_routing` while there is nothing to show, and what the
  /// course lacks.
  [[nodiscard]] Result<figure::FigureSpec> barsFigure() const;
  [[nodiscard]] Result<figure::FigureSpec> courseFigure() const;

  /// What is shown; null while there is nothing.
  [[nodiscard]] std::shared_ptr<const LoadPicture> picture() const { return m_picture; }
  /// A picture is being made.
  [[nodiscard]] bool busy() const;

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  QWidget* makeToolBar();
  QWidget* makeBody();
  QWidget* makeTable();
  QWidget* makeCourseHead();
  void connectContext();
  void refreshLayers();
  void chooseLayer();
  void chooseMeasure(analysis::LoadMeasure measure);
  /// The rules being edited act on the next token of this run.
  [[nodiscard]] bool isCurrent(trace::RunId run) const;
  [[nodiscard]] LoadPictureRequest request() const;
  void refresh(bool replace);
  void showPicture(Result<LoadPicture> result);
  void openMenu(const ExpertCell& cell, QPoint globalAt);
  [[nodiscard]] LoadWindow window() const;

  ViewContext& m_context;
  QueryRunner* m_queries;
  ExpertActions* m_actions;
  std::shared_ptr<const LoadPicture> m_picture;
  std::vector<RouterSpec> m_routers;
  analysis::LoadMeasure m_measure = analysis::LoadMeasure::Cv;

  ErrorBar* m_error = nullptr;
  QStackedWidget* m_pages = nullptr;
  RouterBox* m_layer = nullptr;
  QComboBox* m_window = nullptr;
  SampleLine* m_sample = nullptr;
  LoadBarsCanvas* m_bars = nullptr;
  CanvasWidget* m_barsWidget = nullptr;
  LoadMetricsModel* m_metrics = nullptr;
  QTableView* m_table = nullptr;
  QComboBox* m_metric = nullptr;
  QComboBox* m_courseTokens = nullptr;
  LoadCourseCanvas* m_course = nullptr;
  CanvasWidget* m_courseWidget = nullptr;
  QAction* m_barsTable = nullptr;
  QAction* m_courseTable = nullptr;
};

}  // namespace moescope::views
