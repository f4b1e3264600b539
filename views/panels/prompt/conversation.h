// Conversation: turns with roles, and the prompt that a model's chat template makes of them.
// Not for widgets (chat_turns.h) and not for running.
#pragma once

#include <QString>

#include <cstdint>
#include <string>
#include <vector>

#include "core/chat/chat_template.h"
#include "core/tokenizer/tokenizer.h"

namespace moescope::views {

struct ChatTurn {
  QString role;  ///< "system", "user", "assistant"
  QString text;
  bool generated = false;  ///< written by the model and not touched since

  friend bool operator==(const ChatTurn&, const ChatTurn&) = default;
};

/// How many turns from the first are sent: empty turns at the end are not, nor is the model's own answer that
/// nobody touched, which Generate writes anew.
std::size_t sentTurns(const std::vector<ChatTurn>& turns);

struct FilledPrompt {
  std::string text;               ///< with the template's special tokens
  std::vector<std::int32_t> ids;  ///< of that text, nothing added
};

/// Fills the template with the turns that are sent. Errors: `generate.empty_prompt`, `chat.*`, `tokenizer.*`.
Result<FilledPrompt> fillTemplate(const chat::ChatTemplate& chat, const tokenizer::Tokenizer& tokenizer,
                                  const std::vector<ChatTurn>& turns);

/// JSON for the settings; the way back takes any text and leaves out what is no turn.
QString turnsToJson(const std::vector<ChatTurn>& turns);
std::vector<ChatTurn> turnsFromJson(const QString& json);

}  // namespace moescope::views
