#include "views/panels/runs/run_delegate.h"

#include <QApplication>
#include <QPainter>

#include "views/api/theme.h"
#include "views/models/run_list_model.h"

namespace moescope::views {

namespace {

constexpr int kLeft = 24;
constexpr int kVertical = 4;
constexpr int kDot = 8;
constexpr int kIndent = 16;
constexpr int kChevron = 14;

QFont nameFont(const QStyleOptionViewItem& option) {
  QFont font = option.font;
  if (option.state & QStyle::State_Selected) font.setWeight(QFont::DemiBold);
  return font;
}

}  // namespace

void RunDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                        const QModelIndex& index) const {
  const Theme& theme = Theme::current();
  painter->save();
  const bool selected = option.state & QStyle::State_Selected;
  if (selected) painter->fillRect(option.rect, theme.colour(ColourRole::AccentBack));
  if (index.data(RunListModel::LiveRole).toBool()) {
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(Qt::NoPen);
    painter->setBrush(theme.colour(ColourRole::Recording));
    painter->drawEllipse(
        QRect(option.rect.left() + kVertical * 2,
              option.rect.top() + kVertical + QFontMetrics(option.font).height() / 2 - kDot / 2, kDot, kDot));
  }
  const bool isSeries = index.data(RunListModel::SeriesRole).toLongLong() != 0;
  const int indent = kIndent * index.data(RunListModel::DepthRole).toInt() + (isSeries ? kIndent : 0);
  if (isSeries) {
    const bool folded = index.data(RunListModel::FoldedRole).toBool();
    themeIcon(folded ? QStringLiteral("chevron_right") : QStringLiteral("chevron_down"))
        .paint(painter, QRect(option.rect.left() + kLeft - 2, option.rect.top() + kVertical, kChevron,
                              QFontMetrics(option.font).height()));
  }
  QRect line = option.rect.adjusted(kLeft + indent, kVertical, -kVertical * 2, 0);
  painter->setFont(nameFont(option));
  painter->setPen(theme.colour(ColourRole::Text));
  line.setHeight(painter->fontMetrics().height());
  painter->drawText(line, Qt::AlignLeft | Qt::AlignVCenter,
                    painter->fontMetrics().elidedText(index.data().toString(), Qt::ElideRight, line.width()));
  painter->setFont(theme.font(FontSize::Small));
  painter->setPen(theme.colour(ColourRole::Text2));
  line.translate(0, line.height());
  painter->drawText(line, Qt::AlignLeft | Qt::AlignVCenter,
                    painter->fontMetrics().elidedText(index.data(RunListModel::SummaryRole).toString(),
                                                      Qt::ElideRight, line.width()));
  if (option.state & QStyle::State_HasFocus) {
    QStyleOptionFocusRect focus;
    focus.QStyleOption::operator=(option);
    QApplication::style()->drawPrimitive(QStyle::PE_FrameFocusRect, &focus, painter);
  }
  painter->restore();
}

QSize RunDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const {
  const int lines =
      QFontMetrics(option.font).height() + QFontMetrics(Theme::current().font(FontSize::Small)).height();
  return {120, lines + 2 * kVertical + 2};
}

void RunDelegate::updateEditorGeometry(QWidget* editor, const QStyleOptionViewItem& option,
                                       const QModelIndex&) const {
  editor->setGeometry(option.rect.adjusted(kLeft - 4, 0, 0, 0));
}

}  // namespace moescope::views
