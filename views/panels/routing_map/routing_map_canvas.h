// RoutingMapCanvas: the canvas of the routing map: draws a scene and turns mouse and keys into selection,
// zoom and steering. Not for reading traces (the panel asks for pictures).
#pragma once

#include <QObject>

#include "views/api/canvas.h"
#include "views/api/expert_actions.h"
#include "views/panels/routing_map/map_painting.h"
#include "views/panels/routing_map/map_tool_tip.h"
#include "views/panels/routing_map/zoom_motion.h"

namespace moescope::views {

class ViewContext;

/// GUI thread only.
class RoutingMapCanvas : public QObject, public Canvas {
  Q_OBJECT

 public:
  RoutingMapCanvas(ViewContext& context, ExpertActions& actions, QObject* parent = nullptr);

  [[nodiscard]] const MapScene& scene() const { return m_scene; }

  // What is shown. Each asks for a frame.
  void setRun(std::vector<RouterSpec> routers, std::vector<trace::TokenRange> prompts);
  void setSettings(const MapSettings& settings);
  void setTokenCount(std::int64_t tokens, bool live);
  void setMarks(figure::SteeringMarks marks, steering::SteeringProgram program,
                std::vector<std::int64_t> ruleChanges);
  void showLayers(std::shared_ptr<const LayerPicture> picture);
  void showTokens(std::shared_ptr<const TokenPicture> picture);
  void showOverview(std::shared_ptr<const TokenPicture> picture);
  void showDetail(MapCell cell, CellDetail detail);
  void sortBy(const std::vector<trace::LoadSummary>& loads);  ///< empty: by id
  void clearData();
  void themeChanged();

  void fit();
  void zoomBy(double factor);
  /// Zooms take a moment, unless the user wants less motion.
  void setSmoothZoom(bool smooth) { m_zoom.setSmooth(smooth); }
  /// Rows stay at the newest token. Off when the user scrolls away.
  void setFollowing(bool on);
  [[nodiscard]] bool following() const { return m_following; }
  /// Tokens that came since the user scrolled away.
  [[nodiscard]] std::int64_t newTokens() const;
  void releaseSpace() { m_spaceHeld = false; }

  /// Rows to have a picture of, with some to scroll into, and tokens a row of it.
  [[nodiscard]] trace::TokenRange wantedTokens() const;
  [[nodiscard]] std::int64_t wantedStep() const;
  [[nodiscard]] std::optional<MapCell> hovered() const { return m_scene.hover; }
  /// The cell that keys and the menu are about: under the pointer, else the cursor.
  [[nodiscard]] std::optional<MapCell> activeCell() const;

  void build(Rect area, CanvasPainter& painter) override;
  void press(const CanvasEvent& event) override;
  void move(const CanvasEvent& event) override;
  void release(const CanvasEvent& event) override;
  void doubleClick(const CanvasEvent& event) override;
  void leave() override;
  void wheel(const CanvasEvent& event, QPointF steps) override;
  void contextMenu(const CanvasEvent& event) override;
  bool key(const QKeyEvent& event) override;
  void focusChanged(bool hasFocus) override;
  [[nodiscard]] std::optional<ToolTipContent> toolTip(const CanvasEvent& event) override;

 Q_SIGNALS:
  void changed();      ///< a frame is due
  void viewChanged();  ///< other rows are in sight
  void hoverChanged();
  void cursorChanged();
  void followingChanged();
  void modeRequested();
  void layerRequested(int step);
  void copyRequested();
  void menuRequested(QPoint globalAt, bool tokenRow);

 private:
  enum class Gesture : std::uint8_t { None, Click, Box, Strength, Pan, Minimap, ColourBar };

  void followSelection();
  void scrolled();
  void zoomStep(const ZoomStep& step);
  void selectCell(MapCell cell, Qt::KeyboardModifiers modifiers);
  void selectBox(MapCell from, MapCell to, bool add);
  void selectTokens(std::int64_t token, bool extend);
  void pressCell(const CanvasEvent& event);
  void dragStrength(const CanvasEvent& event);
  void scrollToMinimap(Point at);
  bool moveCursor(const QKeyEvent& event);
  void paintStrength(CanvasPainter& painter) const;
  void rescale();

  ViewContext& m_context;
  ExpertActions& m_actions;
  MapScene m_scene;
  MapTextures m_textures;
  ZoomMotion m_zoom{[this](const ZoomStep& step) { zoomStep(step); }};
  Rect m_area;
  Gesture m_gesture = Gesture::None;
  CanvasEvent m_pressed, m_last;
  std::optional<MapCell> m_anchor;
  float m_strengthY = 0.0F;   // where the pointer was last
  double m_dragPixels = 0.0;  // weighted: Shift makes them smaller
  std::optional<std::pair<MapCell, CellDetail>> m_detail;
  bool m_following = true;
  std::int64_t m_leftAt = 0;  // tokens there were when the user scrolled away
  bool m_spaceHeld = false;
};

}  // namespace moescope::views
