#include "plugins/co_activation/panel/square_map.h"

#include <QPainter>

#include <algorithm>

#include "views/api/figure_view.h"
#include "views/api/theme.h"

namespace moescope::co_activation {

namespace {

/// What stands around the cells depends a little on their size.
constexpr int kPasses = 3;

}  // namespace

SquareMap::SquareMap(views::FigureView* figure, QWidget* parent) : QWidget(parent), m_figure(figure) {
  figure->setParent(this);
  setMinimumSize(figure->minimumSizeHint().expandedTo(figure->minimumSize()));
}

void SquareMap::arrange() {
  const auto* spec = m_figure->figure();
  QSize wanted = size();
  m_figure->resize(wanted);
  for (int pass = 0; pass < kPasses && spec != nullptr && spec->map && spec->map->rows > 0; ++pass) {
    using Kind = views::FigureHit::Kind;
    const QRect cells = m_figure->boxOf({Kind::Cell, 0, 0, 0}) |
                        m_figure->boxOf({Kind::Cell, 0, spec->map->rows - 1, spec->map->columns - 1});
    // The larger side gives way; what was given up too much comes back.
    const double cell =
        std::min(static_cast<double>(cells.width() + width() - wanted.width()) / spec->map->columns,
                 static_cast<double>(cells.height() + height() - wanted.height()) / spec->map->rows);
    wanted = QSize(wanted.width() - cells.width() + qRound(cell * spec->map->columns),
                   wanted.height() - cells.height() + qRound(cell * spec->map->rows))
                 .boundedTo(size())
                 .expandedTo({1, 1});
    m_figure->resize(wanted);
  }
  m_figure->move((width() - wanted.width()) / 2, (height() - wanted.height()) / 2);
}

void SquareMap::resizeEvent(QResizeEvent*) { arrange(); }

void SquareMap::paintEvent(QPaintEvent*) {
  QPainter(this).fillRect(rect(), views::Theme::current().colour(views::ColourRole::Canvas));
}

}  // namespace moescope::co_activation
