#include "app/window/keyboard_dialog.h"

#include <QAction>
#include <QDialogButtonBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeySequenceEdit>
#include <QLabel>
#include <QPushButton>
#include <QSettings>
#include <QTableWidget>
#include <QVBoxLayout>

#include <utility>

#include "views/api/panel_widgets.h"

namespace moescope::app {

namespace {

const auto kGroup = QStringLiteral("keys/");
const char* const kDefaultKeys = "defaultKeys";

QString keysText(const QKeySequence& keys) { return keys.toString(QKeySequence::NativeText); }

void store(const QAction& action) {
  QSettings settings;
  const QString key = kGroup + action.objectName();
  if (action.shortcut() == action.property(kDefaultKeys).value<QKeySequence>()) {
    settings.remove(key);
  } else {
    settings.setValue(key, action.shortcut().toString());
  }
}

}  // namespace

void nameAction(QAction& action, const QString& name, const QKeySequence& keys) {
  action.setObjectName(name);
  action.setProperty(kDefaultKeys, keys);
  const QVariant chosen = QSettings().value(kGroup + name);
  action.setShortcut(chosen.isValid() ? QKeySequence(chosen.toString()) : keys);
}

KeyboardDialog::KeyboardDialog(const QList<QAction*>& actions, QWidget* parent)
    : QDialog(parent),
      m_actions(actions),
      m_table(new QTableWidget(0, 2)),
      m_keys(new QKeySequenceEdit),
      m_reset(new QPushButton(tr("Default"))),
      m_conflict(new views::TextLabel({}, views::TextLabel::Style::Warning)) {
  setWindowTitle(tr("Keyboard"));
  m_table->setHorizontalHeaderLabels({tr("Command"), tr("Keys")});
  m_table->verticalHeader()->hide();
  m_table->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
  m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
  m_table->setSelectionMode(QAbstractItemView::SingleSelection);
  m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
  for (const QAction* action : std::as_const(m_actions))
    addRow(action->toolTip(), keysText(action->shortcut()));
  const std::pair<QString, QString> inPictures[] = {
      {tr("In a picture: move the cursor, extend the selection"), tr("Arrows, Shift+arrows")},
      {tr("In a picture: ban, pin, release the expert"), tr("B, P, R")},
      {tr("In a picture: strength by 0.25 logit, with Shift by 1.00"), tr("+, −")},
      {tr("In a picture: layer before, layer after"), tr("[, ]")},
      {tr("In a picture: mode, fit, follow live"), tr("M, F, L")},
      {tr("In a picture: copy the value"), tr("Ctrl+C")}};
  for (const auto& [command, keys] : inPictures) addRow(command, keys);

  auto* edit = new QHBoxLayout;
  auto* label = new QLabel(tr("New keys"));
  label->setBuddy(m_keys);
  edit->addWidget(label);
  edit->addWidget(m_keys, 1);
  edit->addWidget(m_reset);
  m_conflict->setWordWrap(true);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
  auto* all = buttons->addButton(tr("All to default"), QDialogButtonBox::ResetRole);
  auto* column = new QVBoxLayout(this);
  column->addWidget(m_table, 1);
  column->addLayout(edit);
  column->addWidget(m_conflict);
  column->addWidget(buttons);
  connect(m_table, &QTableWidget::itemSelectionChanged, this, &KeyboardDialog::showRow);
  connect(m_keys, &QKeySequenceEdit::editingFinished, this, [this] { change(m_keys->keySequence()); });
  connect(m_reset, &QPushButton::clicked, this, [this] {
    change(m_actions[m_table->currentRow()]->property(kDefaultKeys).value<QKeySequence>());
    showRow();
  });
  connect(all, &QPushButton::clicked, this, &KeyboardDialog::resetAll);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  resize(560, 640);
  m_table->selectRow(0);
}

void KeyboardDialog::addRow(const QString& command, const QString& keys) {
  const int row = m_table->rowCount();
  m_table->insertRow(row);
  m_table->setItem(row, 0, new QTableWidgetItem(command));
  m_table->setItem(row, 1, new QTableWidgetItem(keys));
}

void KeyboardDialog::showRow() {
  const int row = m_table->currentRow();
  const bool changeable = row >= 0 && row < m_actions.size();
  m_keys->setEnabled(changeable);
  m_reset->setEnabled(changeable);
  m_conflict->clear();
  m_keys->setKeySequence(changeable ? m_actions[row]->shortcut() : QKeySequence());
}

void KeyboardDialog::change(const QKeySequence& keys) {
  const int row = m_table->currentRow();
  if (row < 0 || row >= m_actions.size()) return;
  for (const QAction* other : std::as_const(m_actions)) {
    if (other == m_actions[row] || keys.isEmpty() || other->shortcut() != keys) continue;
    m_conflict->setText(tr("%1 belongs to “%2”. Choose other keys.").arg(keysText(keys), other->toolTip()));
    return;
  }
  m_conflict->clear();
  m_actions[row]->setShortcut(keys);
  store(*m_actions[row]);
  m_table->item(row, 1)->setText(keysText(keys));
}

void KeyboardDialog::resetAll() {
  for (int row = 0; row < m_actions.size(); ++row) {
    QAction& action = *m_actions[row];
    action.setShortcut(action.property(kDefaultKeys).value<QKeySequence>());
    store(action);
    m_table->item(row, 1)->setText(keysText(action.shortcut()));
  }
  showRow();
}

}  // namespace moescope::app
