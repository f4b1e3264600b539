// SteeringPanelBench: a steering panel on a model of four routers, and its controls by rule.
// Not for tests of the texts alone (tst_steering_texts.cpp).
#pragma once

#include <QAbstractButton>
#include <QApplication>
#include <QMenu>
#include <QUndoStack>
#include <QtTest>

#include "core/engine/generation/live_session.h"
#include "views/api/selection_model.h"
#include "views/api/view_context.h"
#include "views/panels/steering/rule_row.h"
#include "views/panels/steering/signed_spin_box.h"
#include "views/panels/steering/steering_panel.h"

namespace moescope::views {

using steering::Operation;
using steering::Rule;

const ExpertCell kCell{LayerIndex{1}, ExpertIndex{5}};

inline std::vector<RouterSpec> routers(int experts = 8) {
  std::vector<RouterSpec> out(4);
  for (int layer = 0; layer < 4; ++layer) {
    out[static_cast<std::size_t>(layer)].layer = LayerIndex{layer};
    out[static_cast<std::size_t>(layer)].experts = experts;
    out[static_cast<std::size_t>(layer)].topK = 2;
  }
  return out;
}

/// A base of tests: they call openPanel() before and closePanel() after each test.
class SteeringPanelBench {
 protected:
  void openPanel() {
    m_context = std::make_unique<ViewContext>(
        std::make_shared<engine::LiveSession>([]() -> Result<std::shared_ptr<engine::Engine>> {
          return fail("engine.unsupported", "", "", "this test has no engine");
        }));
    m_panel = std::make_unique<SteeringPanel>(*m_context);
    m_panel->setRouters(routers());
    m_panel->resize(336, 448);
    m_panel->show();
  }

  void closePanel() {
    m_panel.reset();
    m_context.reset();
  }

  void addThree() {
    steering::SteeringProgram program;
    program.rules.push_back(steering::banRule(program, kCell));
    program.rules.push_back(steering::addLogitRule(program, kCell, 1.5));
    program.rules.push_back(steering::topKRule(program, {0, 1}, 1));
    m_context->steering().edit(program, QStringLiteral("load"));
    QCoreApplication::processEvents();
  }

  [[nodiscard]] RuleRow* row(int id) const {
    return m_panel->findChild<RuleRow*>(QStringLiteral("rule_%1").arg(id));
  }
  [[nodiscard]] QAbstractButton* button(int id, const char* name) const {
    return row(id)->findChild<QAbstractButton*>(QString::fromLatin1(name));
  }
  [[nodiscard]] SignedSpinBox* field(int id) const { return row(id)->findChild<SignedSpinBox*>(); }
  [[nodiscard]] Rule rule(std::int64_t id) const {
    const Rule* found = m_context->steering().program().find(id);
    return found != nullptr ? *found : Rule{};
  }
  [[nodiscard]] QUndoStack* undo() const { return m_context->steering().undoStack(); }

  static QWidget* open(QAbstractButton* opener) {
    opener->click();
    QWidget* popup = QApplication::activePopupWidget();
    if (popup == nullptr) qFatal("no popup");
    return popup;
  }

  void trigger(const char* action) {
    m_panel->findChild<QAbstractButton*>(QStringLiteral("add"))->click();
    auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget());
    auto* found = menu->findChild<QAction*>(QString::fromLatin1(action));
    QVERIFY(found);
    menu->close();
    found->trigger();
  }

  std::unique_ptr<ViewContext> m_context;
  std::unique_ptr<SteeringPanel> m_panel;
};

}  // namespace moescope::views
