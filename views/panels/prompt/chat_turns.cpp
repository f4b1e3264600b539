#include "views/panels/prompt/chat_turns.h"

#include <QApplication>
#include <QKeyEvent>
#include <QScrollBar>
#include <QTextEdit>
#include <QVBoxLayout>

#include <algorithm>

#include "views/panels/prompt/turn_row.h"

namespace moescope::views {

namespace {

constexpr int kSpacing = 4;
constexpr int kAtEnd = 4;  // pixels

const auto kUser = QStringLiteral("user"), kAssistant = QStringLiteral("assistant");

}  // namespace

ChatTurns::ChatTurns(QWidget* parent) : QScrollArea(parent) {
  auto* content = new QWidget;
  m_column = new QVBoxLayout(content);
  m_column->setContentsMargins(0, 0, 0, 0);
  m_column->setSpacing(kSpacing);
  m_column->addStretch(1);
  setWidget(content);
  setWidgetResizable(true);
  setFrameShape(QFrame::NoFrame);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setFocusPolicy(Qt::NoFocus);
  content->setAutoFillBackground(false);
  viewport()->setAutoFillBackground(false);
  // The content gets its height later than its text.
  connect(verticalScrollBar(), &QScrollBar::rangeChanged, this, [this](int, int most) {
    if (m_follows) verticalScrollBar()->setValue(most);
  });
  setTurns({});
}

std::vector<ChatTurn> ChatTurns::turns() const {
  std::vector<ChatTurn> turns;
  for (const TurnRow* row : m_rows) turns.push_back(row->turn());
  return turns;
}

void ChatTurns::setTurns(const std::vector<ChatTurn>& turns) {
  while (!m_rows.empty()) dropRow(static_cast<int>(m_rows.size()) - 1);
  m_removed.reset();
  for (const ChatTurn& turn : turns) insertRow(static_cast<int>(m_rows.size()), turn);
  if (m_rows.empty()) insertRow(0, {kUser, {}});
  refreshPlaces();
}

void ChatTurns::setReadOnly(bool on) {
  m_readOnly = on;
  for (TurnRow* row : m_rows) row->setReadOnly(on);
}

TurnRow* ChatTurns::insertRow(int index, const ChatTurn& turn) {
  auto* row = new TurnRow(turn);
  row->setReadOnly(m_readOnly);
  m_rows.insert(m_rows.begin() + index, row);
  m_column->insertWidget(index, row);
  row->show();  // at once, so that it can get the focus
  for (QWidget* part : row->findChildren<QWidget*>()) part->installEventFilter(this);
  connect(row, &TurnRow::changed, this, [this] {
    m_removed.reset();
    m_follows = false;
    Q_EMIT changed();
  });
  connect(row, &TurnRow::moveRequested, this, [this, row](int step) { move(row, step); });
  connect(row, &TurnRow::removeRequested, this, [this, row] { remove(row); });
  connect(row->editor(), &QTextEdit::cursorPositionChanged, this, [this, row] { showCursor(row); });
  return row;
}

void ChatTurns::dropRow(int index) {
  TurnRow* row = m_rows[static_cast<std::size_t>(index)];
  m_rows.erase(m_rows.begin() + index);
  m_column->removeWidget(row);
  if (row == m_answer) m_answer = nullptr;
  row->hide();
  row->deleteLater();  // its own button may have asked for it
}

void ChatTurns::addTurn() {
  if (m_readOnly) return;
  const int focused = focusedRow();
  const int index = focused < 0 ? static_cast<int>(m_rows.size()) : focused + 1;
  const bool afterUser = index > 0 && m_rows[static_cast<std::size_t>(index) - 1]->turn().role == kUser;
  TurnRow* row = insertRow(index, {afterUser ? kAssistant : kUser, {}});
  m_removed.reset();
  refreshPlaces();
  row->editor()->setFocus(Qt::OtherFocusReason);
  Q_EMIT changed();
}

void ChatTurns::move(TurnRow* row, int step) {
  const int from = indexOf(row), to = from + step;
  if (m_readOnly || from < 0 || to < 0 || to >= static_cast<int>(m_rows.size())) return;
  QWidget* focus = QApplication::focusWidget();
  std::swap(m_rows[static_cast<std::size_t>(from)], m_rows[static_cast<std::size_t>(to)]);
  m_column->removeWidget(row);
  m_column->insertWidget(to, row);
  m_removed.reset();
  m_follows = false;
  refreshPlaces();
  // A button that can go no further is disabled and would lose the focus to anything.
  if (focus != nullptr && row->isAncestorOf(focus)) (focus->isEnabled() ? focus : row->editor())->setFocus();
  m_column->activate();
  ensureWidgetVisible(row, 0, 0);
  Q_EMIT changed();
}

void ChatTurns::remove(TurnRow* row) {
  const int index = indexOf(row);
  if (m_readOnly || index < 0 || m_rows.size() < 2) return;
  m_removed = std::pair(index, row->turn());
  dropRow(index);
  refreshPlaces();
  const int next = std::min(index, static_cast<int>(m_rows.size()) - 1);
  // There Ctrl+Z means this list.
  m_rows[static_cast<std::size_t>(next)]->editor()->setFocus(Qt::OtherFocusReason);
  Q_EMIT changed();
}

void ChatTurns::restore() {
  const auto [index, turn] = *std::exchange(m_removed, std::nullopt);
  TurnRow* row = insertRow(index, turn);
  refreshPlaces();
  row->editor()->setFocus(Qt::OtherFocusReason);
  Q_EMIT changed();
}

void ChatTurns::beginAnswer() {
  const std::size_t sent = sentTurns(turns());
  while (m_rows.size() > sent) dropRow(static_cast<int>(m_rows.size()) - 1);
  m_removed.reset();
  m_answer = insertRow(static_cast<int>(m_rows.size()), {kAssistant, {}, true});
  refreshPlaces();
  follow();
}

void ChatTurns::follow() {
  m_follows = true;
  verticalScrollBar()->setValue(verticalScrollBar()->maximum());
}

void ChatTurns::appendAnswer(const QString& text) {
  if (m_answer == nullptr) return;
  const QScrollBar* bar = verticalScrollBar();
  m_follows = bar->value() >= bar->maximum() - kAtEnd;  // who scrolled away stays there
  m_answer->appendGenerated(text);
}

void ChatTurns::endAnswer() {
  if (m_answer == nullptr || m_rows.empty() || m_rows.back() != m_answer) return;
  const bool focused = focusedRow() >= 0;
  TurnRow* row = insertRow(static_cast<int>(m_rows.size()), {kUser, {}});
  refreshPlaces();
  if (focused) row->editor()->setFocus(Qt::OtherFocusReason);
  if (m_follows) follow();
}

void ChatTurns::focusLast() { m_rows.back()->editor()->setFocus(); }

/// Names and Tab order follow the order of the turns.
void ChatTurns::refreshPlaces() {
  QWidget* before = nullptr;
  for (std::size_t i = 0; i < m_rows.size(); ++i) {
    m_rows[i]->setPlace(static_cast<int>(i), static_cast<int>(m_rows.size()));
    for (QWidget* part : m_rows[i]->findChildren<QWidget*>(QString(), Qt::FindDirectChildrenOnly)) {
      if (before != nullptr) setTabOrder(before, part);
      before = part;
    }
  }
}

/// A row is as high as its text, so that the list has to follow the cursor.
void ChatTurns::showCursor(const TurnRow* row) {
  if (!row->editor()->hasFocus() || m_follows) return;
  const QRect cursor = row->editor()->cursorRect();
  const QPoint at = row->editor()->viewport()->mapTo(widget(), cursor.center());
  ensureVisible(at.x(), at.y(), 0, cursor.height());
}

int ChatTurns::indexOf(const TurnRow* row) const {
  const auto found = std::ranges::find(m_rows, row);
  return found == m_rows.end() ? -1 : static_cast<int>(found - m_rows.begin());
}

int ChatTurns::focusedRow() const {
  const QWidget* focus = QApplication::focusWidget();
  for (std::size_t i = 0; focus != nullptr && i < m_rows.size(); ++i)
    if (m_rows[i]->isAncestorOf(focus)) return static_cast<int>(i);
  return -1;
}

bool ChatTurns::eventFilter(QObject* watched, QEvent* event) {
  const int at = event->type() == QEvent::KeyPress ? focusedRow() : -1;
  if (at < 0) return QScrollArea::eventFilter(watched, event);
  const auto* key = static_cast<QKeyEvent*>(event);
  TurnRow* row = m_rows[static_cast<std::size_t>(at)];
  if (key->matches(QKeySequence::Undo) && m_removed && !m_readOnly) {
    restore();
    return true;
  }
  if ((key->modifiers() & ~Qt::KeypadModifier) != Qt::AltModifier)
    return QScrollArea::eventFilter(watched, event);
  switch (key->key()) {
    case Qt::Key_Up: move(row, -1); return true;
    case Qt::Key_Down: move(row, 1); return true;
    case Qt::Key_Delete: remove(row); return true;
    case Qt::Key_Insert: addTurn(); return true;
    default: return QScrollArea::eventFilter(watched, event);
  }
}

}  // namespace moescope::views
