#include "plugins/specialization/panel/column_outline.h"

#include <QEvent>
#include <QPainter>

#include "views/api/figure_view.h"
#include "views/api/theme.h"

namespace moescope::specialization {

ColumnOutline::ColumnOutline(views::FigureView* figure) : QWidget(figure), m_figure(figure) {
  setAttribute(Qt::WA_TransparentForMouseEvents);
  setFocusPolicy(Qt::NoFocus);
  figure->installEventFilter(this);
  resize(figure->size());
}

void ColumnOutline::setColumn(std::optional<int> column) {
  m_column = column;
  update();
}

QRect ColumnOutline::box() const {
  const auto* spec = m_figure->figure();
  if (!m_column || spec == nullptr || !spec->map) return {};
  const auto cell = [&](int row) {
    return m_figure->boxOf({views::FigureHit::Kind::Cell, 0, row, *m_column});
  };
  return cell(0) | cell(spec->map->rows - 1);
}

void ColumnOutline::paintEvent(QPaintEvent*) {
  const QRect around = box();
  if (around.isEmpty()) return;
  QPainter painter(this);
  // Black and white, as a selected cell.
  painter.setPen(views::Theme::current().colour(views::ColourRole::InkBack));
  painter.drawRect(around.adjusted(-1, -1, 0, 0));
  painter.setPen(QPen(views::Theme::current().colour(views::ColourRole::Ink), 2));
  painter.drawRect(around.adjusted(-2, -2, 2, 2));
}

bool ColumnOutline::eventFilter(QObject* watched, QEvent* event) {
  if (watched == m_figure && event->type() == QEvent::Resize) resize(m_figure->size());
  return QWidget::eventFilter(watched, event);
}

}  // namespace moescope::specialization
