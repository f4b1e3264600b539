// LoadBarsCanvas: the sorted bars of the expert load panel, which can be pointed at, selected and steered.
// Not for computing loads.
#pragma once

#include <QObject>

#include <memory>
#include <optional>
#include <set>

#include "core/base/indices.h"
#include "views/api/canvas.h"
#include "views/panels/expert_load/load_picture.h"

namespace moescope::views {

struct PlotArea;

/// GUI thread only.
class LoadBarsCanvas : public QObject, public Canvas {
  Q_OBJECT

 public:
  explicit LoadBarsCanvas(QObject* parent = nullptr) : QObject(parent) {}

  void setPicture(std::shared_ptr<const LoadPicture> picture);
  void setSelected(std::set<ExpertCell> cells);

  void build(Rect area, CanvasPainter& painter) override;
  void press(const CanvasEvent& event) override;
  void move(const CanvasEvent& event) override;
  void leave() override;
  void contextMenu(const CanvasEvent& event) override;
  bool key(const QKeyEvent& event) override;
  void focusChanged(bool hasFocus) override;
  [[nodiscard]] std::optional<ToolTipContent> toolTip(const CanvasEvent& event) override;

  /// "Layer 10 · expert 41, load share 4.88 %, 3.12 × uniform, boosted": the bar under the keyboard cursor.
  [[nodiscard]] QString cursorText() const;

 Q_SIGNALS:
  void changed();  ///< has to be drawn anew
  void cursorMoved();
  void selected(const std::set<moescope::ExpertCell>& cells);
  void menuRequested(moescope::ExpertCell cell, QPoint globalAt);
  /// A key that the canvas does not use itself; `used` is set by who does.
  void verbKey(const QKeyEvent& event, const std::set<moescope::ExpertCell>& cells, bool* used);

 private:
  [[nodiscard]] std::optional<std::size_t> barOf(const std::string& region) const;
  [[nodiscard]] ExpertCell cellOf(std::size_t bar) const;
  [[nodiscard]] Rect barRect(std::size_t bar) const;
  void drawBars(CanvasPainter& painter) const;
  void drawUniformLine(CanvasPainter& painter) const;
  void drawPeakLabel(CanvasPainter& painter, const PlotArea& plot) const;
  void drawOutlines(CanvasPainter& painter) const;
  void moveCursor(std::int64_t step, bool extend);

  std::shared_ptr<const LoadPicture> m_picture;
  std::set<ExpertCell> m_selected;
  std::optional<std::size_t> m_hovered;
  std::optional<std::int32_t> m_cursor;  ///< an expert, so that it stays when bars change places
  bool m_focused = false;
  Rect m_area;
  float m_left = 0, m_width = 0, m_bottom = 0, m_height = 0;  ///< of the frame drawn last
  double m_most = 1.0;
};

/// "boosted", "banned", …: how an expert is steered.
QString markText(figure::CellMark mark);

}  // namespace moescope::views
