// Models whose layers have a router of feed-forward experts and one of attention heads: the box that chooses
// a router, the editor of a rule, and verbs on cells of either kind.
#include <QComboBox>
#include <QLineEdit>
#include <QPushButton>

#include "core/base/router_label.h"
#include "tests/support/gui_test.h"
#include "views/api/router_box.h"
#include "views/api/steering_edits.h"
#include "views/panels/routing_map/map_scene.h"
#include "views/panels/steering/edit_popup.h"
#include "views/panels/steering/rule_drafts.h"
#include "views/panels/steering/rule_texts.h"
#include "views/panels/steering/scope_popups.h"

namespace moescope::views {

namespace {

/// Three layers; of each kind named, in this order in every layer.
std::vector<RouterSpec> routers(const std::vector<std::string>& kinds) {
  std::vector<RouterSpec> out;
  for (int layer = 0; layer < 3; ++layer) {
    for (const std::string& kind : kinds) {
      RouterSpec& router = out.emplace_back();
      router.layer = LayerIndex{layer};
      router.kind = kind;
      router.experts = kind == "ffn" ? 8 : 4;
      router.topK = 2;
    }
  }
  return out;
}

std::vector<RouterSpec> twoKinds() { return routers({"attention", "ffn"}); }

ExpertCell cell(int layer, int expert, const std::string& kind = {}) {
  return {LayerIndex{layer}, ExpertIndex{expert}, kind};
}

}  // namespace

class TestRouterKinds : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void theBoxNamesRouters() {
    RouterBox box;
    QVERIFY(!box.router());
    box.setRouters(twoKinds());
    QCOMPARE(box.count(), 6);
    QCOMPARE(box.itemText(0), QStringLiteral("Layer 0 attention"));
    QCOMPARE(box.itemText(1), QStringLiteral("Layer 0"));
    QVERIFY(box.choose({LayerIndex{2}, "attention"}));
    QCOMPARE(box.currentText(), QStringLiteral("Layer 2 attention"));
    QVERIFY((*box.router() == RouterKey{LayerIndex{2}, "attention"}));
    QCOMPARE(box.spec()->experts, 4);
    QVERIFY(!box.choose({LayerIndex{2}, "attention"}));
    QVERIFY(!box.choose(LayerIndex{7}));
    // A layer alone is its feed-forward router.
    QVERIFY(box.choose(LayerIndex{1}));
    QCOMPARE(box.currentText(), QStringLiteral("Layer 1"));
    // Where all routers are of one kind, none is named; the layer stays.
    box.setRouters(routers({"ffn"}));
    QCOMPARE(box.count(), 3);
    QVERIFY(*box.router() == RouterKey(LayerIndex{1}));
    box.setRouters(twoKinds(), RouterKey{LayerIndex{0}, "attention"});
    QCOMPARE(box.currentText(), QStringLiteral("Layer 0 attention"));
  }

  void theMapKnowsWhichRouterACellIsOf() {
    MapScene scene;
    scene.routers = twoKinds();
    scene.settings.mode = MapMode::LayerExpert;
    for (int row = 0; row < 6; ++row) {
      const auto expert = scene.expertAt({row, 3});
      QVERIFY(*expert == cell(row / 2, 3, row % 2 == 0 ? "attention" : "ffn"));
      QVERIFY((*scene.cellOf(*expert) == MapCell{row, 3}));
      QCOMPARE(*scene.routerOf(*scene.routerAt({row, 3})), row);
    }
    QCOMPARE(scene.regionId({2, 1}), std::string("layer 1 attention/expert 1"));
    QCOMPARE(scene.regionId({3, 1}), std::string("layer 1/expert 1"));
    QVERIFY(!scene.expertAt({2, 5}));  // four attention experts
    scene.experts = {cell(1, 1, "attention")};
    QVERIFY(scene.isSelected({2, 1}) && !scene.isSelected({3, 1}));
    scene.routers = routers({"ffn"});
    QVERIFY(*scene.expertAt({1, 1}) == cell(1, 1));
  }

  void verbsActOnTheKindOfTheCell() {
    steering::SteeringProgram program = banned({}, {cell(1, 2, "attention"), cell(1, 2, "ffn")});
    QCOMPARE(program.rules.size(), std::size_t{2});
    QCOMPARE(program.rules[0].router, std::string("attention"));
    program = pinned(program, {cell(1, 2, "ffn")});  // takes the ban of that cell away alone
    QCOMPARE(program.rules.size(), std::size_t{2});
    QVERIFY(program.rules[0].isOf(cell(1, 2, "attention")));
    QCOMPARE(program.rules[1].operation, steering::Operation::PinHigh);
    QVERIFY(isSteered(program, cell(1, 2, "attention")) && !isSteered(program, cell(1, 3, "attention")));
    program = withStrength({}, {cell(0, 1, "ffn")}, 0.5);
    QCOMPARE(strengthOf(program, cell(0, 1, "ffn")).value_or(0), 0.5);
    QVERIFY(!strengthOf(program, cell(0, 1, "attention")));
    QCOMPARE(cellsText({cell(0, 1, "attention")}), std::string("L0 attn E1"));
    // Several cells: one rule for each kind.
    program =
        withVerb({}, Verb::Ban,
                 {cell(0, 1, "ffn"), cell(1, 1, "ffn"), cell(0, 1, "attention"), cell(1, 1, "attention")});
    QCOMPARE(program.rules.size(), std::size_t{2});
    for (const auto& rule : program.rules) QCOMPARE(rule.layers, (std::vector<std::int32_t>{0, 1}));
    QVERIFY(program.rules[0].router != program.rules[1].router);
    QCOMPARE(layersScopeText(program.rules[0]), QStringLiteral("layers 0–1, attention"));
  }

  void theEditorShowsTheKindWhereThereAreSeveral() {
    QWidget parent;
    steering::Rule rule = steering::banRule({}, cell(1, 2));
    std::optional<steering::Rule> changed;
    const auto apply = [&](const steering::Rule& made) { changed = made; };
    EditPopup* popup = layersPopup(rule, routers({"ffn"}), apply, &parent);
    QVERIFY(popup->findChild<QComboBox*>(QStringLiteral("router")) == nullptr);
    delete popup;

    popup = layersPopup(rule, twoKinds(), apply, &parent);
    auto* kind = popup->findChild<QComboBox*>(QStringLiteral("router"));
    QVERIFY(kind != nullptr);
    QCOMPARE(kind->currentText(), QStringLiteral("All"));
    kind->setCurrentIndex(kind->findText(QStringLiteral("Attention")));
    popup->findChild<QPushButton*>(QStringLiteral("apply"))->click();
    QVERIFY(changed.has_value());
    QCOMPARE(changed->router, std::string("attention"));
    QCOMPARE(changed->layers, std::vector<std::int32_t>{1});
  }

  void expertsAreCheckedAgainstTheKind() {
    QWidget parent;
    std::optional<NewRule> made;
    NewRule first{Verb::Ban, {1}, {6}, 0.0, {}};
    EditPopup* popup = newRulePopup(
        first, twoKinds(), [&](const NewRule& rule) { made = rule; }, &parent);
    auto* apply = popup->findChild<QPushButton*>(QStringLiteral("apply"));
    auto* kind = popup->findChild<QComboBox*>(QStringLiteral("router"));
    kind->setCurrentIndex(kind->findText(QStringLiteral("Attention")));
    QVERIFY(!apply->isEnabled());  // expert 6 is one of the feed-forward routers
    kind->setCurrentIndex(kind->findText(QStringLiteral("Feed-forward")));
    QVERIFY(apply->isEnabled());
    apply->click();
    QVERIFY(made.has_value());
    QCOMPARE(made->router, std::string("ffn"));
  }
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestRouterKinds)
#include "tst_router_kinds.moc"
