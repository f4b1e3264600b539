#include "views/api/panel_widgets.h"

#include <QAction>
#include <QEvent>
#include <QHBoxLayout>
#include <QPainter>
#include <QToolButton>
#include <QVBoxLayout>

#include "views/api/theme.h"

namespace moescope::views {

namespace {

constexpr int kEmptyIcon = 20;
constexpr int kEmptyTextWidth = 280;
constexpr int kErrorBarHeight = 28;
constexpr int kIcon = 16;

QFont fontOf(TextLabel::Style style) {
  const Theme& theme = Theme::current();
  switch (style) {
    case TextLabel::Style::Body: return theme.font(FontSize::Body);
    case TextLabel::Style::Secondary:
    case TextLabel::Style::Warning: return theme.font(FontSize::Small);
    case TextLabel::Style::Title: return theme.font(FontSize::Title);
    case TextLabel::Style::Number: return theme.font(FontSize::Number);
    case TextLabel::Style::Heading: return theme.font(FontSize::Heading);
  }
  return {};
}

ColourRole roleOf(TextLabel::Style style) {
  if (style == TextLabel::Style::Secondary) return ColourRole::Text2;
  if (style == TextLabel::Style::Warning) return ColourRole::Warning;
  return ColourRole::Text;
}

bool changesLook(const QEvent& event) {
  return event.type() == QEvent::PaletteChange || event.type() == QEvent::StyleChange ||
         event.type() == QEvent::ApplicationPaletteChange;
}

}  // namespace

TextLabel::TextLabel(const QString& text, Style style, QWidget* parent)
    : QLabel(text, parent), m_style(style) {
  setTextFormat(Qt::PlainText);
  applyStyle();
}

void TextLabel::changeEvent(QEvent* event) {
  QLabel::changeEvent(event);
  // Setting the palette sends the same event again.
  if (changesLook(*event) && !m_applying) applyStyle();
}

void TextLabel::applyStyle() {
  m_applying = true;
  setFont(fontOf(m_style));
  QPalette colours = palette();
  colours.setColor(QPalette::WindowText, Theme::current().colour(roleOf(m_style)));
  setPalette(colours);
  m_applying = false;
}

IconLabel::IconLabel(const QString& icon, int size, Tone tone, QWidget* parent)
    : QWidget(parent), m_icon(themeIcon(icon)), m_tone(tone) {
  setFixedSize(size, size);
}

void IconLabel::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  m_icon.paint(&painter, rect(), Qt::AlignCenter, m_tone == Tone::Quiet ? QIcon::Disabled : QIcon::Normal,
               m_tone == Tone::Accent ? QIcon::On : QIcon::Off);
}

EmptyState::EmptyState(const QString& icon, const QString& heading, const QString& text, QWidget* parent)
    : QWidget(parent) {
  auto* title = new TextLabel(heading, TextLabel::Style::Body);
  auto* advice = new TextLabel(text, TextLabel::Style::Secondary);
  title->setAlignment(Qt::AlignCenter);
  advice->setAlignment(Qt::AlignCenter);
  advice->setWordWrap(true);
  advice->setMaximumWidth(kEmptyTextWidth);
  auto* column = new QVBoxLayout(this);
  column->setSpacing(8);
  column->addStretch(1);
  column->addWidget(new IconLabel(icon, kEmptyIcon, IconLabel::Tone::Quiet), 0, Qt::AlignHCenter);
  column->addWidget(title);
  auto* row = new QHBoxLayout;
  row->addStretch(1);
  row->addWidget(advice, 1000);
  row->addStretch(1);
  column->addLayout(row);
  column->addStretch(1);
}

ActionButton::ActionButton(QAction* action, bool primary, const QString& text, QWidget* parent)
    : QPushButton(parent), m_action(action), m_text(text), m_primary(primary) {
  connect(action, &QAction::changed, this, &ActionButton::follow);
  connect(this, &QPushButton::clicked, action, &QAction::trigger);
  follow();
}

void ActionButton::follow() {
  setText(m_text.isEmpty() ? m_action->text() : m_text);
  setIcon(m_action->icon());
  setEnabled(m_action->isEnabled());
  setToolTip(toolTipWithShortcut(*m_action));
  // The style paints a default button in the accent colour.
  setDefault(m_primary && m_action->isEnabled());
}

ErrorBar::ErrorBar(QWidget* parent) : QWidget(parent), m_text(new TextLabel({}, TextLabel::Style::Body)) {
  setMinimumHeight(kErrorBarHeight);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(8, 4, 4, 4);
  m_text->setWordWrap(true);
  m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
  auto* close = new QToolButton;
  close->setIcon(themeIcon(QStringLiteral("close")));
  close->setAutoRaise(true);
  close->setToolTip(tr("Close this message"));
  close->setAccessibleName(tr("Close this message"));
  connect(close, &QToolButton::clicked, this, &QWidget::hide);
  row->addWidget(new IconLabel(QStringLiteral("error"), kIcon, IconLabel::Tone::Plain), 0, Qt::AlignTop);
  row->addWidget(m_text, 1);
  row->addWidget(close, 0, Qt::AlignTop);
  hide();
}

void ErrorBar::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  const Theme& theme = Theme::current();
  painter.fillRect(rect(), theme.colour(ColourRole::Control));
  painter.fillRect(QRect(0, height() - 1, width(), 1), theme.colour(ColourRole::Separator));
}

void ErrorBar::showError(const QString& text) {
  m_text->setText(text);
  setAccessibleName(text);
  show();
}

QString toolTipWithShortcut(const QAction& action) {
  // Qt's default tool tip is the text without mnemonic and dots.
  if (action.shortcut().isEmpty()) return action.toolTip();
  return QStringLiteral("%1 (%2)").arg(action.toolTip(),
                                       action.shortcut().toString(QKeySequence::NativeText));
}

}  // namespace moescope::views
