// RoutingMapPanel: tool bar, sample line and canvas of the routing map; asks for its pictures off the GUI
// thread. Not for drawing or for events on the canvas.
#pragma once

#include <QWidget>

#include "views/api/query_runner.h"
#include "views/panels/routing_map/routing_map_canvas.h"

class QAction;
class QPushButton;
class QStackedWidget;

namespace moescope::views {

class CanvasWidget;
class ErrorBar;
class MapToolBar;
class SampleLine;

/// GUI thread only. Shows the selected run; fills live.
class RoutingMapPanel : public QWidget {
  Q_OBJECT

 public:
  explicit RoutingMapPanel(ViewContext& context, QWidget* parent = nullptr);
  ~RoutingMapPanel() override;

  /// The figure of what is shown: mode, value, window or rows in sight, layer, colour range. Errors: those
  /// of the builders, `figure.no_routing` while nothing is shown.
  [[nodiscard]] Result<figure::FigureSpec> figureSpec() const;

  [[nodiscard]] const MapSettings& settings() const { return m_settings; }
  void setSettings(const MapSettings& settings);
  [[nodiscard]] RoutingMapCanvas& canvas() const { return *m_canvas; }
  [[nodiscard]] CanvasWidget& widget() const { return *m_widget; }
  [[nodiscard]] SampleLine& sampleLine() const { return *m_sampleLine; }
  /// Nothing is being read or waits to be read.
  [[nodiscard]] bool idle() const;

 Q_SIGNALS:
  void exportRequested();

 protected:
  void changeEvent(QEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void makeLayout();
  void connectCanvas();
  void showRun();
  void rowsChanged(qlonglong run);
  void liveChanged();
  void refreshMarks();
  void refresh(QueryRunner::Urgency urgency);
  void askForLayers(QueryRunner::Urgency urgency);
  void askForTokens(QueryRunner::Urgency urgency);
  void askForOverview();
  void askForDetail(QueryRunner::Urgency urgency);
  void sortNow();
  void layersArrived(const Result<LayerPicture>& picture);
  void tokensArrived(std::shared_ptr<const TokenPicture> picture, const QString& sample,
                     const QString& baseline);
  void showFailure(const Error& error);
  void setFollow(bool on);
  void placeBackToLive();
  void openMenu(QPoint globalAt, bool tokenRow);
  void copyValue();
  [[nodiscard]] trace::TokenRange window() const;

  ViewContext& m_context;
  ExpertActions* m_actions;
  RoutingMapCanvas* m_canvas;
  CanvasWidget* m_widget = nullptr;
  QAction* m_table = nullptr;
  MapToolBar* m_toolBar = nullptr;
  SampleLine* m_sampleLine = nullptr;
  ErrorBar* m_error = nullptr;
  QStackedWidget* m_pages = nullptr;
  QPushButton* m_backToLive = nullptr;
  QueryRunner m_pictures, m_overviews, m_details, m_loads;
  MapSettings m_settings;
  trace::RunRecord m_run;                   ///< as it was when rows changed last
  std::optional<std::int64_t> m_frozenEnd;  ///< layer mode without following: tokens of the window
  bool m_sorted = false;
};

}  // namespace moescope::views
