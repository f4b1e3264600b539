// MapGeometry: where cells of a routing map lie on the canvas: zoom, pan and the rows in sight.
// Not for what stands around the map or in its cells.
#pragma once

#include <cstdint>
#include <optional>

#include "views/api/canvas_painter.h"

namespace moescope::views {

/// Row of the map: router index (layer mode) or token row; column: place from the left.
struct MapCell {
  std::int64_t row = 0;
  int column = 0;
  bool operator==(const MapCell&) const = default;
};

class MapGeometry {
 public:
  /// Sizes of cells in pixels that zooming keeps to.
  struct Limits {
    double fitWidth = 64.0, fitHeight = 72.0;  ///< fitting makes no larger cells
    double maxWidth = 96.0, maxHeight = 96.0;
  };

  void setContent(std::int64_t rows,
                  int columns);  ///< keeps zoom and place; the end stays in sight if it was
  void setPlot(Rect plot);       ///< keeps a fitted map fitted
  void setLimits(Limits limits) { m_limits = limits; }

  void fit();                         ///< all rows and columns
  void fitColumns(double rowHeight);  ///< all columns, rows of that height
  void zoom(double factor, Point about, bool columnsToo);
  void panBy(double dx, double dy);  ///< pixels; positive shows what is right and below
  void showEnd();                    ///< last row at the bottom
  void reveal(MapCell cell);         ///< scrolls as little as possible
  void setFirstRow(double row);

  [[nodiscard]] Rect plot() const { return m_plot; }
  /// The part of the plot that the content covers.
  [[nodiscard]] Rect filled() const;
  [[nodiscard]] std::int64_t rows() const { return m_rows; }
  [[nodiscard]] int columns() const { return m_columns; }
  [[nodiscard]] double cellWidth() const { return m_cellWidth; }
  [[nodiscard]] double cellHeight() const { return m_cellHeight; }
  [[nodiscard]] double firstRow() const { return m_firstRow; }  ///< fractional row at the top
  [[nodiscard]] double firstColumn() const { return m_firstColumn; }
  [[nodiscard]] double rowsInSight() const;
  [[nodiscard]] std::int64_t beginRow() const;
  [[nodiscard]] std::int64_t endRow() const;  ///< exclusive
  [[nodiscard]] int beginColumn() const;
  [[nodiscard]] int endColumn() const;
  [[nodiscard]] bool atEnd() const;
  [[nodiscard]] bool fitted() const { return m_fitted; }

  [[nodiscard]] std::optional<MapCell> cellAt(Point at) const;
  /// The nearest cell, for drags that leave the map.
  [[nodiscard]] MapCell nearestCell(Point at) const;
  [[nodiscard]] Rect rectOf(MapCell cell) const;
  [[nodiscard]] float xOf(double column) const;
  [[nodiscard]] float yOf(double row) const;

 private:
  void clamp();
  void applyFit();

  Limits m_limits;
  Rect m_plot;
  std::int64_t m_rows = 0;
  int m_columns = 0;
  double m_cellWidth = 14.0, m_cellHeight = 24.0;
  double m_firstRow = 0.0, m_firstColumn = 0.0;
  bool m_fitted = true;  // both directions
  bool m_columnsFitted = true;
};

}  // namespace moescope::views
