#include "views/panels/prompt/conversation.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

namespace moescope::views {

namespace {

const auto kRole = QStringLiteral("role"), kContent = QStringLiteral("content"),
           kGenerated = QStringLiteral("generated");

bool isRole(const QString& word) {
  return word == QLatin1String("system") || word == QLatin1String("user") ||
         word == QLatin1String("assistant");
}

}  // namespace

std::size_t sentTurns(const std::vector<ChatTurn>& turns) {
  std::size_t count = turns.size();
  while (count > 0 && (turns[count - 1].text.isEmpty() || turns[count - 1].generated)) --count;
  return count;
}

Result<FilledPrompt> fillTemplate(const chat::ChatTemplate& chat, const tokenizer::Tokenizer& tokenizer,
                                  const std::vector<ChatTurn>& turns) {
  std::vector<chat::Turn> sent;
  for (std::size_t i = 0; i < sentTurns(turns); ++i)
    sent.push_back({turns[i].role.toStdString(), turns[i].text.toStdString()});
  if (sent.empty()) {
    return fail("generate.empty_prompt", "", "", "the conversation is empty", "write a turn");
  }
  FilledPrompt prompt;
  auto text = chat.render(sent);
  if (!text) return fail(text.error());
  prompt.text = *std::move(text);
  const auto tokens = tokenizer.encode(prompt.text, false);
  if (!tokens) return fail(tokens.error());
  for (const auto& token : *tokens) prompt.ids.push_back(token.id);
  if (prompt.ids.empty()) {
    return fail("generate.empty_prompt", chat.file(), "", "the template makes an empty prompt of these turns",
                "change the conversation, or use the plain prompt");
  }
  return prompt;
}

QString turnsToJson(const std::vector<ChatTurn>& turns) {
  QJsonArray list;
  for (const ChatTurn& turn : turns)
    list.append(QJsonObject{{kRole, turn.role}, {kContent, turn.text}, {kGenerated, turn.generated}});
  return QString::fromUtf8(QJsonDocument(list).toJson(QJsonDocument::Compact));
}

std::vector<ChatTurn> turnsFromJson(const QString& json) {
  std::vector<ChatTurn> turns;
  for (const auto& entry : QJsonDocument::fromJson(json.toUtf8()).array()) {
    const QString role = entry[kRole].toString();
    if (isRole(role)) turns.push_back({role, entry[kContent].toString(), entry[kGenerated].toBool()});
  }
  return turns;
}

}  // namespace moescope::views
