#include "views/panels/prompt/turn_row.h"

#include <QAbstractTextDocumentLayout>
#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QTextCursor>
#include <QTextEdit>
#include <QToolButton>

#include <cmath>

#include "views/api/theme.h"

namespace moescope::views {

namespace {

constexpr int kSpacing = 4, kButton = 24, kRoleWidth = 96;

/// Always as high as its text.
class GrowingEdit final : public QTextEdit {
 public:
  GrowingEdit() {
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    document()->setDocumentMargin(3);
    connect(document()->documentLayout(), &QAbstractTextDocumentLayout::documentSizeChanged, this,
            [this](const QSizeF& size) {
              setFixedHeight(static_cast<int>(std::ceil(size.height())) + 2 * frameWidth());
            });
  }
};

QTextCharFormat generatedFormat() {
  QTextCharFormat format;
  format.setForeground(Theme::current().colour(ColourRole::Text2));
  return format;
}

}  // namespace

TurnRow::TurnRow(const ChatTurn& turn, QWidget* parent)
    : QWidget(parent), m_role(new QComboBox), m_editor(new GrowingEdit) {
  m_role->addItem(tr("System"), QStringLiteral("system"));
  m_role->addItem(tr("User"), QStringLiteral("user"));
  m_role->addItem(tr("Assistant"), QStringLiteral("assistant"));
  m_role->setCurrentIndex(m_role->findData(turn.role));
  m_role->setFixedWidth(kRoleWidth);
  m_role->setToolTip(tr("Who speaks in this turn"));
  m_role->setFocusPolicy(Qt::StrongFocus);
  m_role->installEventFilter(this);
  m_editor->setAcceptRichText(false);
  m_editor->setTabChangesFocus(true);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(kSpacing);
  row->addWidget(m_role, 0, Qt::AlignTop);
  row->addWidget(m_editor, 1);
  m_up = addButton("move_up", QStringLiteral("chevron_up"), tr("Move this turn up (Alt+Up)"));
  m_down = addButton("move_down", QStringLiteral("chevron_down"), tr("Move this turn down (Alt+Down)"));
  m_remove = addButton("remove", QStringLiteral("close"), tr("Remove this turn (Alt+Delete)"));
  if (turn.generated) {
    appendGenerated(turn.text);
  } else {
    m_editor->setPlainText(turn.text);
  }
  connect(m_role, &QComboBox::activated, this, &TurnRow::edited);
  connect(m_editor, &QTextEdit::textChanged, this, [this] {
    if (!m_writing) edited();
  });
  connect(m_up, &QToolButton::clicked, this, [this] { Q_EMIT moveRequested(-1); });
  connect(m_down, &QToolButton::clicked, this, [this] { Q_EMIT moveRequested(1); });
  connect(m_remove, &QToolButton::clicked, this, &TurnRow::removeRequested);
}

QToolButton* TurnRow::addButton(const char* name, const QString& icon, const QString& toolTip) {
  auto* button = new QToolButton;
  button->setObjectName(QString::fromLatin1(name));
  button->setIcon(themeIcon(icon));
  button->setAutoRaise(true);
  button->setFixedSize(kButton, kButton);
  button->setToolTip(toolTip);
  button->setFocusPolicy(Qt::TabFocus);
  layout()->addWidget(button);
  layout()->setAlignment(button, Qt::AlignTop);
  return button;
}

ChatTurn TurnRow::turn() const {
  return {m_role->currentData().toString(), m_editor->toPlainText(), m_generated};
}

void TurnRow::appendGenerated(const QString& text) {
  m_generated = true;
  m_writing = true;
  QTextCursor end(m_editor->document());
  end.movePosition(QTextCursor::End);
  end.insertText(text, generatedFormat());
  m_writing = false;
}

/// What the user touched is theirs.
void TurnRow::edited() {
  if (m_generated) {
    m_generated = false;
    m_writing = true;
    QTextCursor all(m_editor->document());
    all.select(QTextCursor::Document);
    all.setCharFormat(QTextCharFormat());
    m_editor->setCurrentCharFormat(QTextCharFormat());
    m_writing = false;
  }
  Q_EMIT changed();
}

void TurnRow::setReadOnly(bool on) {
  m_readOnly = on;
  m_editor->setReadOnly(on);
  refreshButtons();
}

void TurnRow::setPlace(int index, int count) {
  m_index = index;
  m_count = count;
  m_role->setAccessibleName(tr("Role of turn %1").arg(index + 1));
  m_editor->setAccessibleName(tr("Text of turn %1").arg(index + 1));
  m_up->setAccessibleName(tr("Move turn %1 up").arg(index + 1));
  m_down->setAccessibleName(tr("Move turn %1 down").arg(index + 1));
  m_remove->setAccessibleName(tr("Remove turn %1").arg(index + 1));
  refreshButtons();
}

void TurnRow::refreshButtons() {
  m_role->setEnabled(!m_readOnly);
  m_up->setEnabled(!m_readOnly && m_index > 0);
  m_down->setEnabled(!m_readOnly && m_index + 1 < m_count);
  m_remove->setEnabled(!m_readOnly && m_count > 1);
}

/// The wheel scrolls the list, it does not change a role in passing.
bool TurnRow::eventFilter(QObject* watched, QEvent* event) {
  if (watched == m_role && event->type() == QEvent::Wheel && !m_role->hasFocus()) {
    event->ignore();
    return true;
  }
  return QWidget::eventFilter(watched, event);
}

}  // namespace moescope::views
