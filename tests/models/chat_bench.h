// ChatBench: the Prompt panel in chat mode, for its tests. Not for templates themselves (tests of core/chat).
#pragma once

#include <QAction>
#include <QComboBox>
#include <QPlainTextEdit>
#include <QTemporaryDir>
#include <QTextEdit>
#include <QToolButton>
#include <QtTest>

#include <filesystem>

#include <nlohmann/json.hpp>

#include "tests/support/view_bench.h"
#include "views/api/panel_widgets.h"
#include "views/panels/prompt/chat_mode.h"
#include "views/panels/prompt/chat_turns.h"
#include "views/panels/prompt/prompt_panel.h"
#include "views/panels/prompt/turn_row.h"

namespace moescope::views {

inline void writeFile(const std::filesystem::path& file, const QByteArray& bytes) {
  QFile out(QString::fromStdString(file.string()));
  if (!out.open(QIODevice::WriteOnly) || out.write(bytes) != bytes.size()) qFatal("cannot write");
}

inline QByteArray readFile(const char* file) {
  QFile in(QString::fromLatin1(file));
  return in.open(QIODevice::ReadOnly) ? in.readAll() : QByteArray();
}

/// The template of a published tokenizer.
inline QByteArray qwenTemplate() {
  const auto config = readFile(MOESCOPE_TEST_DATA "/chat/qwen2/tokenizer_config.json");
  return QByteArray::fromStdString(nlohmann::json::parse(config.toStdString())["chat_template"]);
}

/// The panel in chat mode on the demo model with a template of the test.
struct ChatBench {
  ViewBench bench;
  QTemporaryDir folder;
  QAction generate{QStringLiteral("Generate")}, stop{QStringLiteral("Stop")}, step{QStringLiteral("Step")},
      resume{QStringLiteral("Continue")};
  PromptPanel panel{bench.context, {&generate, &stop, &step, &resume}};
  ChatTurns* turns = panel.findChild<ChatTurns*>();

  ChatBench() {
    panel.resize(900, 240);
    panel.show();
    panel.activateWindow();
  }
  /// The demo's model with this template.
  void load(const QByteArray& source) {
    for (const auto& entry : std::filesystem::directory_iterator(tests::demoFolder()))
      std::filesystem::copy(entry.path(),
                            std::filesystem::path(folder.path().toStdString()) / entry.path().filename(),
                            std::filesystem::copy_options::overwrite_existing);
    writeFile(std::filesystem::path(folder.path().toStdString()) / "chat_template.jinja", source);
    bench.session->loadModel(folder.path().toStdString(), {});
    if (!QTest::qWaitFor([&] { return button("chat_mode")->isEnabled(); }, 10000)) qFatal("no template");
  }
  void chat(const QByteArray& source) {
    load(source);
    click("chat_mode");
  }
  [[nodiscard]] QToolButton* button(const char* name) const {
    return panel.findChild<QToolButton*>(QString::fromLatin1(name));
  }
  void click(const char* name) const { QTest::mouseClick(button(name), Qt::LeftButton); }
  [[nodiscard]] TurnRow* row(int index) const {
    for (auto* row : panel.findChildren<TurnRow*>()) {
      if (row->isVisible() &&
          row->editor()->accessibleName() == QStringLiteral("Text of turn %1").arg(index + 1))
        return row;
    }
    qFatal("there is no turn %d", index + 1);
  }
  void type(int turn, const char* text) const {
    row(turn)->editor()->setFocus();
    QTest::keyClicks(row(turn)->editor(), QString::fromUtf8(text));
  }
  /// Up or Down in the list of roles: System, User, Assistant.
  void speak(int turn, Qt::Key key) const {
    auto* role = row(turn)->findChild<QComboBox*>();
    role->setFocus();
    QTest::keyClick(role, key);
  }
  [[nodiscard]] QStringList words() const {
    QStringList list;
    for (const ChatTurn& turn : turns->turns()) list << turn.role + QLatin1Char(':') + turn.text;
    return list;
  }
  [[nodiscard]] QString problem() const {
    const auto* bar = panel.findChild<ErrorBar*>(QStringLiteral("template_problem"));
    return bar->isVisible() ? bar->accessibleName() : QString();
  }
  [[nodiscard]] QString preview() const {
    return panel.findChild<QPlainTextEdit*>(QStringLiteral("preview"))->toPlainText();
  }
  /// What the action of the window does.
  void run(int tokens) {
    auto settings = panel.settings();
    if (!settings) qFatal("%s", settings.error().text().c_str());
    settings->maxTokens = tokens;
    bench.session->generate(*settings);
  }
  [[nodiscard]] bool ended() const {
    return bench.session->status().state == engine::LiveState::Idle &&
           bench.session->status().generatedTokens > 0;
  }
};

}  // namespace moescope::views
