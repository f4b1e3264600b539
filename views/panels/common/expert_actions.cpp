#include "views/api/expert_actions.h"

#include <QKeyEvent>
#include <QMenu>
#include <QUndoStack>
#include <QWidget>

#include <utility>

#include "core/figure/number_text.h"
#include "views/api/theme.h"
#include "views/api/view_context.h"
#include "views/panels/common/strength_popup.h"

namespace moescope::views {

namespace {

constexpr double kKeyStep = 0.25, kBigKeyStep = 1.0;
constexpr double kFirstBoost = 1.0;

QString strengthText(double value) {
  return (value > 0.0 ? QStringLiteral("+") : QString()) +
         QString::fromStdString(figure::decimalText(value, 2));
}

QString strengthTitle(const ExpertCells& cells, double value) {
  const QString verb =
      value < 0.0 ? ExpertActions::tr("Dampen %1, %2 logit") : ExpertActions::tr("Boost %1, %2 logit");
  return verb.arg(QString::fromStdString(cellsText(cells)), strengthText(value));
}

}  // namespace

int newMergeId() {
  static int last = 0x4000;  // away from the small ids that panels use for their own fields
  return ++last;
}

ExpertActions::ExpertActions(ViewContext& context, QWidget* window)
    : QObject(window), m_context(context), m_window(window) {}

void ExpertActions::apply(const steering::SteeringProgram& program, const QString& title, int mergeId) {
  if (program == m_context.steering().program()) return;
  m_context.steering().edit(program, title, mergeId);
}

void ExpertActions::ban(const ExpertCells& cells) {
  apply(banned(m_context.steering().program(), cells),
        tr("Ban %1").arg(QString::fromStdString(cellsText(cells))));
}

void ExpertActions::pin(const ExpertCells& cells) {
  apply(pinned(m_context.steering().program(), cells),
        tr("Pin %1").arg(QString::fromStdString(cellsText(cells))));
}

void ExpertActions::release(const ExpertCells& cells) {
  apply(releasedAll(m_context.steering().program(), cells),
        tr("Release %1").arg(QString::fromStdString(cellsText(cells))));
}

void ExpertActions::strengthen(const ExpertCells& cells, double delta) {
  if (cells.empty()) return;
  const auto after = strengthened(m_context.steering().program(), cells, delta);
  apply(after, strengthTitle(cells, strengthOf(after, *cells.begin()).value_or(0.0)));
}

bool ExpertActions::key(const QKeyEvent& event, const ExpertCells& cells) {
  if (cells.empty() ||
      (event.modifiers() & (Qt::ControlModifier | Qt::AltModifier | Qt::MetaModifier)) != 0) {
    return false;
  }
  // On many layouts + itself needs Shift; there Shift cannot ask for the big step, the keypad's + can.
  const bool shift = (event.modifiers() & Qt::ShiftModifier) != 0;
  switch (event.key()) {
    case Qt::Key_B: ban(cells); return true;
    case Qt::Key_P: pin(cells); return true;
    case Qt::Key_R: release(cells); return true;
    case Qt::Key_Plus: {
      const bool keypad = (event.modifiers() & Qt::KeypadModifier) != 0;
      strengthen(cells, shift && keypad ? kBigKeyStep : kKeyStep);
      return true;
    }
    case Qt::Key_Equal: strengthen(cells, kKeyStep); return true;
    case Qt::Key_Asterisk: strengthen(cells, kBigKeyStep); return true;
    case Qt::Key_Minus: strengthen(cells, shift ? -kBigKeyStep : -kKeyStep); return true;
    case Qt::Key_Underscore: strengthen(cells, -kBigKeyStep); return true;
    default: return false;
  }
}

QMenu* ExpertActions::openMenu(const ExpertCells& cells, const QString& heading, QPoint globalAt,
                               const std::function<void(QMenu&)>& more) {
  auto* menu = new QMenu(m_window);
  menu->setAttribute(Qt::WA_DeleteOnClose);
  menu->addAction(heading)->setEnabled(false);
  menu->addSeparator();
  // The keys stand beside the verbs as text: they belong to the canvas, not to the window.
  const auto add = [&](const char* icon, const QString& text, const QString& shortcut, auto verb) {
    auto* action = menu->addAction(themeIcon(QString::fromLatin1(icon)), text + QLatin1Char('\t') + shortcut);
    connect(action, &QAction::triggered, this, verb);
    return action;
  };
  add("ban", tr("Ban"), QStringLiteral("B"), [this, cells] { ban(cells); });
  add("boost", tr("Boost…"), QStringLiteral("+"),
      [this, cells, globalAt] { openStrengthPopup(cells, kFirstBoost, globalAt); });
  add("dampen", tr("Dampen…"), QStringLiteral("−"),
      [this, cells, globalAt] { openStrengthPopup(cells, -kFirstBoost, globalAt); });
  add("pin", tr("Pin (always chosen)"), QStringLiteral("P"), [this, cells] { pin(cells); });
  auto* released = menu->addAction(tr("Release") + QStringLiteral("\tR"));
  connect(released, &QAction::triggered, this, [this, cells] { release(cells); });
  released->setEnabled(releasedAll(m_context.steering().program(), cells) != m_context.steering().program());
  if (more) {
    menu->addSeparator();
    more(*menu);
  }
  menu->popup(globalAt);
  return menu;
}

void ExpertActions::openStrengthPopup(const ExpertCells& cells, double first, QPoint globalAt) {
  if (cells.empty()) return;
  const auto present = strengthOf(m_context.steering().program(), *cells.begin());
  auto* popup = new StrengthPopup(QString::fromStdString(cellsText(cells)), m_window);
  beginDrag(cells);
  connect(popup, &StrengthPopup::strengthChanged, this, [this, start = present.value_or(0.0)](double value) {
    if (dragging()) dragTo(value - start);
  });
  connect(popup, &StrengthPopup::takenBack, this, &ExpertActions::takeBackDrag);
  connect(popup, &StrengthPopup::accepted, this, &ExpertActions::endDrag);
  popup->openAt(globalAt, present.value_or(first));
}

void ExpertActions::beginDrag(ExpertCells cells) {
  if (cells.empty()) return;
  endDrag();
  m_before = m_context.steering().program();
  m_strength = strengthOf(m_before, *cells.begin()).value_or(0.0);
  m_dragged = std::move(cells);
  m_mergeId = newMergeId();
  m_edited = false;
}

void ExpertActions::dragTo(double delta) {
  if (!dragging()) return;
  const auto program = strengthened(m_before, m_dragged, delta);
  m_strength = strengthOf(program, *m_dragged.begin()).value_or(0.0);
  if (program == m_context.steering().program()) return;
  apply(program, strengthTitle(m_dragged, m_strength), m_mergeId);
  m_edited = true;
}

void ExpertActions::endDrag() { m_dragged.clear(); }

void ExpertActions::takeBackDrag() {
  if (!dragging()) return;
  m_dragged.clear();
  if (std::exchange(m_edited, false)) m_context.steering().undoStack()->undo();
}

}  // namespace moescope::views
