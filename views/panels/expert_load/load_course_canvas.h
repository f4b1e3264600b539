// LoadCourseCanvas: one metric over the tokens of a run as a line. Not for computing it.
#pragma once

#include <QObject>

#include <memory>
#include <optional>

#include "core/analysis/load_measure.h"
#include "views/api/canvas.h"
#include "views/panels/expert_load/load_picture.h"

namespace moescope::views {

struct PlotArea;

/// GUI thread only.
class LoadCourseCanvas : public QObject, public Canvas {
  Q_OBJECT

 public:
  explicit LoadCourseCanvas(QObject* parent = nullptr) : QObject(parent) {}

  /// `live` writes "now" at the right end, else the last token.
  void setPicture(std::shared_ptr<const LoadPicture> picture, analysis::LoadMeasure measure,
                  std::int64_t courseTokens, bool live);

  void build(Rect area, CanvasPainter& painter) override;
  void press(const CanvasEvent& event) override;
  void move(const CanvasEvent& event) override;
  void leave() override;
  void contextMenu(const CanvasEvent& event) override { Q_EMIT menuRequested(event.globalAt); }
  void focusChanged(bool hasFocus) override;
  bool key(const QKeyEvent& event) override;
  [[nodiscard]] std::optional<ToolTipContent> toolTip(const CanvasEvent& event) override;

 Q_SIGNALS:
  void changed();
  /// The tokens behind a point of the line.
  void tokensSelected(moescope::trace::TokenRange tokens);
  void menuRequested(QPoint globalAt);

 private:
  [[nodiscard]] const figure::Line* line() const;
  /// The point of the line nearest to a place on the canvas.
  [[nodiscard]] std::optional<std::size_t> pointAt(Point at) const;
  void drawReferences(CanvasPainter& painter, const PlotArea& plot) const;
  void drawReferenceNames(CanvasPainter& painter, const PlotArea& plot) const;
  void drawLine(CanvasPainter& painter, const PlotArea& plot) const;
  void drawShownTokens(CanvasPainter& painter, const PlotArea& plot) const;
  void drawPoint(CanvasPainter& painter, const PlotArea& plot) const;
  void selectPoint(std::size_t point);

  std::shared_ptr<const LoadPicture> m_picture;
  analysis::LoadMeasure m_measure = analysis::LoadMeasure::Cv;
  std::int64_t m_courseTokens = 0;
  bool m_live = false, m_focused = false;
  std::optional<std::size_t> m_hovered, m_cursor;
  Rect m_area;
};

}  // namespace moescope::views
