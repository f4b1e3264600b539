// ChatTemplate: a model's chat template, and the prompt that it makes of a conversation. Not for tokens: the
// text has the special tokens already, so it is encoded without adding them again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "core/base/stored_vocabulary.h"
#include "core/chat/budget.h"

namespace moescope::chat {

struct Node;

/// One message of a conversation.
struct Turn {
  std::string role;  ///< "system", "user", "assistant", "tool"
  std::string content;
};

struct RenderOptions {
  bool addGenerationPrompt = true;  ///< ends the prompt where the assistant's answer begins
  /// More variables by name, such as `tools` or `enable_thinking`; they win over those of the files.
  nlohmann::ordered_json variables = nlohmann::ordered_json::object();
  /// Seconds since 1970 that strftime_now shows, in UTC; without it the local time.
  std::optional<std::int64_t> time;
  Limits limits;
};

/// Immutable; safe to use from any thread.
class ChatTemplate {
 public:
  /// Jinja's language as transformers sets it up, without include, import, extends, call and recursive for.
  /// `tokens` are variables such as bos_token; `file` is used in errors. Errors: `chat.syntax`, `chat.limit`,
  /// with the line.
  static Result<ChatTemplate> parse(std::string_view source, nlohmann::ordered_json tokens,
                                    const std::string& file);
  /// The template of a checkpoint's folder: chat_template.jinja, else `chat_template` of
  /// tokenizer_config.json (of several the one named "default"). Errors: `chat.missing` if there is none,
  /// `chat.bad_config`, `file.*`, as parse.
  static Result<ChatTemplate> open(const std::filesystem::path& folder);
  /// The template in a GGUF file's metadata. Errors: `chat.missing`, as parse.
  static Result<ChatTemplate> fromStored(const StoredVocabulary& stored, const std::string& file);

  /// The prompt for a conversation. Errors, each with the line: `chat.refused` where the template itself
  /// refuses it (raise_exception), `chat.failed`, `chat.limit`.
  [[nodiscard]] Result<std::string> render(const std::vector<Turn>& turns,
                                           const RenderOptions& options = {}) const;
  /// The same for messages as JSON, with tool calls or other members.
  [[nodiscard]] Result<std::string> render(const nlohmann::ordered_json& messages,
                                           const RenderOptions& options = {}) const;

  [[nodiscard]] const std::string& file() const { return m_file; }

 private:
  ChatTemplate() = default;

  std::shared_ptr<const Node> m_tree;
  nlohmann::ordered_json m_tokens;
  std::string m_file;
};

}  // namespace moescope::chat
