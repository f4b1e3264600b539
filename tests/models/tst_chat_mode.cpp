// The Prompt panel's Chat: turns by mouse and keyboard, the filled template, answers that become turns, and
// what a template says against a conversation. Expected prompts are jinja2's
// (tests/data/chat/qwen2/chat.json).
#include <QAction>
#include <QComboBox>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QTextEdit>
#include <QToolButton>

#include <semaphore>

#include "tests/models/chat_bench.h"
#include "tests/support/gui_test.h"

namespace moescope::views {

namespace {

/// Refuses what does not begin with the user, as many published templates do.
constexpr const char* kStrict =
    "{% for m in messages %}\n"
    "{% if loop.first and m.role != 'user' %}\n"
    "{{ raise_exception('The user speaks first') }}{% endif %}\n"
    "[{{ m.role }}]{{ m.content }}{% endfor %}[assistant]";

}  // namespace

class TestChatMode : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() { QSettings().clear(); }

  void onlyAModelWithATemplateChats() {
    ChatBench shown;
    auto* chat = shown.button("chat_mode");
    QVERIFY(!chat->isEnabled());
    QVERIFY(chat->toolTip().contains(QStringLiteral("Needs a model")));
    QVERIFY(shown.bench.loadModel());
    QTRY_COMPARE(chat->toolTip(), QStringLiteral("The model has no chat template"));
    QVERIFY(!chat->isEnabled());
    QVERIFY(!shown.turns->isVisible());
    shown.load(kStrict);
    QVERIFY(chat->toolTip().contains(QStringLiteral("Turns with roles")));
    shown.click("chat_mode");
    QVERIFY(shown.turns->isVisible());
    shown.click("text_mode");
    QVERIFY(!shown.turns->isVisible());
  }

  void theTemplateIsFilledAsJinjaDoes() {
    const auto goldens =
        nlohmann::json::parse(readFile(MOESCOPE_TEST_DATA "/chat/qwen2/chat.json").toStdString());
    int checked = 0;
    ChatBench shown;
    shown.chat(qwenTemplate());
    shown.click("show_preview");
    for (const auto& golden : goldens) {
      const auto& input = golden["input"];
      if (!golden.contains("text") || input.size() != 2 || !input["add_generation_prompt"].get<bool>())
        continue;
      std::vector<ChatTurn> turns;
      for (const auto& message : input["messages"]) {
        if (message.size() != 2 || !message["content"].is_string() || message["role"] == "tool") break;
        turns.push_back(
            {QString::fromStdString(message["role"]), QString::fromStdString(message["content"])});
      }
      if (turns.size() != input["messages"].size()) continue;
      shown.panel.findChild<ChatMode*>()->setTurns(turns);
      const QString expected = QString::fromStdString(golden["text"]);
      QTRY_COMPARE(shown.preview(), expected);
      const auto settings = shown.panel.settings();
      QVERIFY(settings.has_value());
      QCOMPARE(settings->prompt, expected.toStdString());
      const auto ids = tests::demoTokenizer()->encode(settings->prompt, false);
      QCOMPARE(settings->promptIds.size(), ids->size());  // no begin token in front
      ++checked;
    }
    QVERIFY2(checked >= 5, qPrintable(QString::number(checked)));
  }

  void turnsAreEditedByKeys() {
    ChatBench shown;
    shown.chat(qwenTemplate());
    QCOMPARE(shown.words(), QStringList{QStringLiteral("user:")});
    shown.type(0, "hello");
    QTest::keyClick(shown.row(0)->editor(), Qt::Key_Insert, Qt::AltModifier);
    QVERIFY(shown.row(1)->editor()->hasFocus());
    shown.type(1, "hi");
    shown.speak(1, Qt::Key_Up);  // from Assistant
    shown.speak(1, Qt::Key_Up);
    QCOMPARE(shown.words(), (QStringList{QStringLiteral("user:hello"), QStringLiteral("system:hi")}));
    shown.row(1)->editor()->setFocus();
    QTest::keyClick(shown.row(1)->editor(), Qt::Key_Up, Qt::AltModifier);
    QCOMPARE(shown.words(), (QStringList{QStringLiteral("system:hi"), QStringLiteral("user:hello")}));
    QVERIFY(shown.row(0)->editor()->hasFocus());
    QTest::keyClick(shown.row(0)->editor(), Qt::Key_Up, Qt::AltModifier);  // no further
    QTest::keyClick(shown.row(0)->editor(), Qt::Key_Down, Qt::AltModifier);
    QCOMPARE(shown.words(), (QStringList{QStringLiteral("user:hello"), QStringLiteral("system:hi")}));
    QTest::keyClick(shown.row(1)->editor(), Qt::Key_Delete, Qt::AltModifier);
    QCOMPARE(shown.words(), QStringList{QStringLiteral("user:hello")});
    QVERIFY(shown.row(0)->editor()->hasFocus());
    // The turn first, then the text of the field.
    QTest::keySequence(shown.row(0)->editor(), QKeySequence::Undo);
    QCOMPARE(shown.words(), (QStringList{QStringLiteral("user:hello"), QStringLiteral("system:hi")}));
    shown.row(0)->editor()->setFocus();
    QTest::keySequence(shown.row(0)->editor(), QKeySequence::Undo);
    QCOMPARE(shown.words().size(), 2);
    QVERIFY(shown.words().front() != QStringLiteral("user:hello"));
    // The last one stays.
    QTest::keyClick(shown.row(0)->editor(), Qt::Key_Delete, Qt::AltModifier);
    QTest::keyClick(shown.row(0)->editor(), Qt::Key_Delete, Qt::AltModifier);
    QCOMPARE(shown.words().size(), 1);
    // Tab goes through a turn and on to the next.
    shown.click("add_turn");
    shown.row(0)->findChild<QComboBox*>()->setFocus();
    QTest::keyClick(shown.row(0)->findChild<QComboBox*>(), Qt::Key_Tab);
    QVERIFY(shown.row(0)->editor()->hasFocus());
    for (int i = 0; i < 3 && !shown.row(1)->isAncestorOf(QApplication::focusWidget()); ++i)
      QTest::keyClick(QApplication::focusWidget(), Qt::Key_Tab);
    QVERIFY(shown.row(1)->findChild<QComboBox*>()->hasFocus());
  }

  void turnsAreEditedByMouse() {
    ChatBench shown;
    shown.chat(qwenTemplate());
    shown.type(0, "one");
    shown.click("add_turn");
    QCOMPARE(shown.words(), (QStringList{QStringLiteral("user:one"), QStringLiteral("assistant:")}));
    const auto press = [&](int turn, const char* name) {
      QTest::mouseClick(shown.row(turn)->findChild<QToolButton*>(QString::fromLatin1(name)), Qt::LeftButton);
    };
    press(0, "move_down");
    QCOMPARE(shown.words(), (QStringList{QStringLiteral("assistant:"), QStringLiteral("user:one")}));
    press(1, "move_up");
    press(1, "remove");
    QCOMPARE(shown.words(), QStringList{QStringLiteral("user:one")});
    QVERIFY(!shown.row(0)->findChild<QToolButton*>(QStringLiteral("remove"))->isEnabled());
    // A field is as high as its text.
    const int line = shown.row(0)->editor()->height();
    shown.row(0)->editor()->setPlainText(QStringLiteral("a\nb\nc\nd"));
    QTRY_VERIFY(shown.row(0)->editor()->height() > 3 * line / 2);
  }

  void answersBecomeTurns() {
    ChatBench shown;
    shown.chat(qwenTemplate());
    shown.bench.openTrace();
    shown.type(0, "one");
    shown.panel.resize(900, 180);
    shown.run(6);
    QTRY_COMPARE(shown.turns->turns().size(), std::size_t{3});
    const auto first = shown.turns->turns();
    QCOMPARE(first[1].role, QStringLiteral("assistant"));
    QVERIFY(first[1].generated);
    QVERIFY(!first[1].text.isEmpty());
    QCOMPARE(first[2], (ChatTurn{QStringLiteral("user"), {}}));
    QVERIFY(shown.row(2)->editor()->hasFocus());  // where the user was writing goes on
    const auto* bar = shown.turns->verticalScrollBar();
    QTRY_COMPARE(bar->value(), bar->maximum());
    QCOMPARE(shown.bench.trace.store->runs().back().name, std::string("one"));
    // Without a new turn the answer is written anew.
    shown.run(3);
    QTRY_VERIFY(shown.ended() && shown.turns->turns().size() == 3);
    QVERIFY(first[1].text.startsWith(shown.turns->turns()[1].text));
    // The next turn goes on with it.
    const QString said = shown.turns->turns()[1].text;
    shown.type(2, "two");
    const auto settings = shown.panel.settings();
    QCOMPARE(QString::fromStdString(settings->prompt),
             QStringLiteral("<|im_start|>user\none<|im_end|>\n<|im_start|>assistant\n%1<|im_end|>\n"
                            "<|im_start|>user\ntwo<|im_end|>\n<|im_start|>assistant\n")
                 .arg(said));
    shown.run(2);
    QTRY_COMPARE(shown.turns->turns().size(), std::size_t{5});
    QVERIFY(shown.turns->turns()[3].generated);
    // Continue writes on in the last answer, though the next turn is open.
    const QString cut = shown.turns->turns()[3].text;
    shown.bench.session->resume(4);
    QTRY_VERIFY(shown.turns->turns()[3].text.size() > cut.size());
    QVERIFY(shown.turns->turns()[3].text.startsWith(cut));
    QTRY_VERIFY(shown.ended());
    QCOMPARE(shown.turns->turns().size(), std::size_t{5});
  }

  void theEndTokenEndsTheTurn() {
    ChatBench shown;
    shown.chat(qwenTemplate());
    shown.type(0, "one");
    const auto prompt = static_cast<std::int64_t>(shown.panel.settings()->promptIds.size());
    shown.bench.behaviour->forced[prompt + 2] = 0;  // <|endoftext|> after three tokens
    shown.run(40);
    QTRY_COMPARE(shown.turns->turns().size(), std::size_t{3});
    QCOMPARE(shown.bench.session->status().finish, engine::FinishReason::EndToken);
    QCOMPARE(shown.bench.session->status().generatedTokens, 4);
    QVERIFY(!shown.turns->turns()[1].text.contains(QStringLiteral("endoftext")));
  }

  void aTouchedAnswerIsTheUsers() {
    ChatBench shown;
    shown.chat(kStrict);
    shown.type(0, "one");
    shown.run(3);
    QTRY_COMPARE(shown.turns->turns().size(), std::size_t{3});
    shown.type(1, "!");
    const auto turn = shown.turns->turns()[1];
    QVERIFY(!turn.generated);
    QVERIFY(shown.panel.settings()->prompt.find("[assistant]" + turn.text.toStdString()) !=
            std::string::npos);
  }

  void editingWaitsWhileTheModelWrites() {
    ChatBench shown;
    shown.chat(kStrict);
    shown.type(0, "one");
    std::binary_semaphore hold(0);
    shown.bench.behaviour->beforeBlock = [&hold](std::int64_t position, int) {
      if (position == 20) hold.acquire();
    };
    shown.run(40);
    QTRY_VERIFY(shown.row(0)->editor()->isReadOnly());
    QVERIFY(!shown.row(0)->findChild<QComboBox*>()->isEnabled());
    QVERIFY(!shown.button("add_turn")->isEnabled());
    const auto before = shown.words().size();
    QTest::keyClick(shown.row(0)->editor(), Qt::Key_Delete, Qt::AltModifier);
    QTest::keyClick(shown.row(0)->editor(), Qt::Key_Insert, Qt::AltModifier);
    QCOMPARE(shown.words().size(), before);
    hold.release();
    QTRY_VERIFY(!shown.row(0)->editor()->isReadOnly());
    QVERIFY(shown.button("add_turn")->isEnabled());
    shown.bench.behaviour->beforeBlock = nullptr;
  }

  void whatTheTemplateSaysIsShown() {
    ChatBench shown;
    shown.chat(kStrict);
    shown.type(0, "x");
    QTRY_COMPARE(shown.problem(), QString());
    shown.speak(0, Qt::Key_Up);
    QTRY_VERIFY(shown.problem().contains(QStringLiteral("The user speaks first")));
    QVERIFY2(shown.problem().contains(QStringLiteral("line 3")), qPrintable(shown.problem()));
    QVERIFY(shown.problem().contains(QStringLiteral("chat_template.jinja")));
    const auto refused = shown.panel.settings();
    QCOMPARE(refused.error().kind, std::string("chat.refused"));
    // Once, beside the turns, and again for who closed it.
    auto* bar = shown.panel.findChild<ErrorBar*>(QStringLiteral("template_problem"));
    QTest::mouseClick(bar->findChild<QToolButton*>(), Qt::LeftButton);
    QCOMPARE(shown.problem(), QString());
    shown.panel.showRefused(refused.error());
    QVERIFY(shown.problem().contains(QStringLiteral("The user speaks first")));
    int bars = 0;
    for (auto* one : shown.panel.findChildren<ErrorBar*>()) bars += one->isVisible();
    QCOMPARE(bars, 1);
    shown.speak(0, Qt::Key_Down);
    QTRY_COMPARE(shown.problem(), QString());
  }

  void aBrokenTemplateIsShownNotSwallowed() {
    ChatBench shown;
    shown.chat("{% for m in messages %}\n{{ m.content }");
    QTRY_VERIFY(shown.problem().contains(QStringLiteral("line 2")));
    shown.type(0, "x");
    QCOMPARE(shown.panel.settings().error().kind, std::string("chat.syntax"));
    QVERIFY(!shown.problem().isEmpty());
  }

  void nothingIsSentOfAnEmptyConversation() {
    ChatBench shown;
    shown.chat(kStrict);
    QCOMPARE(shown.panel.settings().error().kind, std::string("generate.empty_prompt"));
    QCOMPARE(shown.problem(), QString());
  }

  void theConversationIsRemembered() {
    {
      ChatBench shown;
      shown.panel.setPrompt(QStringLiteral("Once\nupon"));
      shown.chat(kStrict);
      shown.row(0)->editor()->insertPlainText(QStringLiteral("Grüße, \"世界\"\\n"));
      shown.run(3);
      QTRY_COMPARE(shown.turns->turns().size(), std::size_t{3});
      shown.panel.save();
    }
    ChatBench shown;
    shown.panel.restore();
    QVERIFY(!shown.turns->isVisible());  // there is no model yet
    QCOMPARE(shown.panel.prompt(), QStringLiteral("Once\nupon"));
    shown.load(kStrict);
    QVERIFY(shown.turns->isVisible());
    const auto turns = shown.turns->turns();
    QCOMPARE(turns.size(), std::size_t{3});
    QCOMPARE(turns[0].text, QStringLiteral("Grüße, \"世界\"\\n"));
    QVERIFY(turns[1].generated);
    QCOMPARE(shown.panel.settings()->prompt, "[user]" + turns[0].text.toStdString() + "[assistant]");
  }

  void settingsMayHoldAnything_data() {
    QTest::addColumn<QString>("json");
    QTest::newRow("nothing") << QString();
    QTest::newRow("no JSON") << QStringLiteral("[{\"role\":");
    QTest::newRow("no list") << QStringLiteral("{\"role\":\"user\"}");
    QTest::newRow("no turns") << QStringLiteral("[1,null,[],{\"role\":\"tool\"},{\"role\":7}]");
  }
  void settingsMayHoldAnything() {
    QFETCH(QString, json);
    QVERIFY(turnsFromJson(json).empty());
    QSettings().setValue(QStringLiteral("prompt/conversation"), json);
    ChatBench shown;
    shown.panel.restore();
    QCOMPARE(shown.words(), QStringList{QStringLiteral("user:")});
  }
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestChatMode)
#include "tst_chat_mode.moc"
