#include "views/panels/routing_map/map_geometry.h"

#include <algorithm>
#include <cmath>

namespace moescope::views {

namespace {

constexpr double kAtEnd = 0.01;  // of a row

/// Whole pixels where cells are large enough for it: edges stay sharp.
double snapped(double size) { return size >= 4.0 ? std::floor(size) : size; }

}  // namespace

void MapGeometry::setContent(std::int64_t rows, int columns) {
  if (rows == m_rows && columns == m_columns) return;
  m_rows = rows;
  m_columns = columns;
  applyFit();
}

void MapGeometry::setPlot(Rect plot) {
  if (plot.x == m_plot.x && plot.y == m_plot.y && plot.width == m_plot.width && plot.height == m_plot.height)
    return;
  m_plot = plot;
  applyFit();
}

void MapGeometry::applyFit() {
  if (m_columnsFitted && m_columns > 0)
    m_cellWidth = snapped(std::min(m_limits.fitWidth, m_plot.width / static_cast<double>(m_columns)));
  if (m_fitted && m_rows > 0)
    m_cellHeight = snapped(std::min(m_limits.fitHeight, m_plot.height / static_cast<double>(m_rows)));
  clamp();
}

void MapGeometry::fit() {
  m_fitted = m_columnsFitted = true;
  m_firstRow = m_firstColumn = 0.0;
  applyFit();
}

void MapGeometry::fitColumns(double rowHeight) {
  m_fitted = false;
  m_columnsFitted = true;
  m_cellHeight = rowHeight;
  m_firstColumn = 0.0;
  applyFit();
}

void MapGeometry::zoom(double factor, Point about, bool columnsToo) {
  const double row = m_firstRow + (about.y - m_plot.y) / m_cellHeight;
  const double column = m_firstColumn + (about.x - m_plot.x) / m_cellWidth;
  const double fitHeight =
      m_rows > 0 ? std::min(m_limits.fitHeight, m_plot.height / static_cast<double>(m_rows)) : 1.0;
  m_fitted = false;
  m_cellHeight =
      std::clamp(m_cellHeight * factor, std::min(fitHeight, m_limits.maxHeight), m_limits.maxHeight);
  m_firstRow = row - (about.y - m_plot.y) / m_cellHeight;
  if (columnsToo && m_columns > 0) {
    const double fitWidth = std::min(m_limits.fitWidth, m_plot.width / static_cast<double>(m_columns));
    m_columnsFitted = false;
    m_cellWidth =
        std::clamp(m_cellWidth * factor, std::min(snapped(fitWidth), m_limits.maxWidth), m_limits.maxWidth);
    m_firstColumn = column - (about.x - m_plot.x) / m_cellWidth;
  }
  clamp();
}

void MapGeometry::panBy(double dx, double dy) {
  m_firstColumn += dx / m_cellWidth;
  m_firstRow += dy / m_cellHeight;
  clamp();
}

void MapGeometry::showEnd() {
  m_firstRow = static_cast<double>(m_rows) - rowsInSight();
  clamp();
}

void MapGeometry::reveal(MapCell cell) {
  const double row = static_cast<double>(cell.row);
  if (row < m_firstRow) m_firstRow = row;
  if (row + 1.0 > m_firstRow + rowsInSight()) m_firstRow = row + 1.0 - rowsInSight();
  const double columnsInSight = m_plot.width / m_cellWidth;
  if (cell.column < m_firstColumn) m_firstColumn = cell.column;
  if (cell.column + 1 > m_firstColumn + columnsInSight) m_firstColumn = cell.column + 1 - columnsInSight;
  clamp();
}

void MapGeometry::setFirstRow(double row) {
  m_firstRow = row;
  clamp();
}

void MapGeometry::clamp() {
  m_firstRow = std::clamp(m_firstRow, 0.0, std::max(0.0, static_cast<double>(m_rows) - rowsInSight()));
  m_firstColumn = std::clamp(m_firstColumn, 0.0, std::max(0.0, m_columns - m_plot.width / m_cellWidth));
}

Rect MapGeometry::filled() const {
  return {m_plot.x, m_plot.y, static_cast<float>(std::min<double>(m_plot.width, m_columns * m_cellWidth)),
          static_cast<float>(std::min<double>(m_plot.height, static_cast<double>(m_rows) * m_cellHeight))};
}

double MapGeometry::rowsInSight() const { return m_plot.height / m_cellHeight; }

std::int64_t MapGeometry::beginRow() const { return static_cast<std::int64_t>(std::floor(m_firstRow)); }

std::int64_t MapGeometry::endRow() const {
  return std::min(m_rows, static_cast<std::int64_t>(std::ceil(m_firstRow + rowsInSight())));
}

int MapGeometry::beginColumn() const { return static_cast<int>(std::floor(m_firstColumn)); }

int MapGeometry::endColumn() const {
  return std::min(m_columns, static_cast<int>(std::ceil(m_firstColumn + m_plot.width / m_cellWidth)));
}

bool MapGeometry::atEnd() const { return m_firstRow + rowsInSight() >= static_cast<double>(m_rows) - kAtEnd; }

std::optional<MapCell> MapGeometry::cellAt(Point at) const {
  if (!filled().contains(at)) return std::nullopt;
  return nearestCell(at);
}

MapCell MapGeometry::nearestCell(Point at) const {
  const double row = std::floor(m_firstRow + (at.y - m_plot.y) / m_cellHeight);
  const double column = std::floor(m_firstColumn + (at.x - m_plot.x) / m_cellWidth);
  return {std::clamp<std::int64_t>(static_cast<std::int64_t>(row), 0, std::max<std::int64_t>(0, m_rows - 1)),
          std::clamp(static_cast<int>(column), 0, std::max(0, m_columns - 1))};
}

float MapGeometry::xOf(double column) const {
  return m_plot.x + static_cast<float>((column - m_firstColumn) * m_cellWidth);
}

float MapGeometry::yOf(double row) const {
  return m_plot.y + static_cast<float>((row - m_firstRow) * m_cellHeight);
}

Rect MapGeometry::rectOf(MapCell cell) const {
  return {xOf(cell.column), yOf(static_cast<double>(cell.row)), static_cast<float>(m_cellWidth),
          static_cast<float>(m_cellHeight)};
}

}  // namespace moescope::views
