#include "views/panels/export/ground.h"

#include <QPaintEvent>
#include <QPainter>

namespace moescope::views {

Ground::Ground(ColourRole role, QWidget* parent) : QWidget(parent), m_role(role) {}

void Ground::paintEvent(QPaintEvent* event) {
  QPainter(this).fillRect(event->rect(), Theme::current().colour(m_role));
}

}  // namespace moescope::views
