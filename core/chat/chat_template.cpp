#include "core/chat/chat_template.h"

#include <ctime>

#include <fmt/format.h>

#include "core/base/shown_text.h"
#include "core/base/strict_json.h"
#include "core/chat/evaluator.h"
#include "core/chat/parser.h"

namespace moescope::chat {

namespace {

constexpr std::size_t kMaxMessage = 1000;

/// What a template says, or names in it, may hold anything; the message is one line of text.
Error errorOf(const Fault& fault, const std::string& file) {
  const bool own = std::string_view(fault.kind()) == "chat.refused";
  return {fault.kind(), file, fault.line() > 0 ? fmt::format("line {}", fault.line()) : std::string(),
          shown(fault.what(), kMaxMessage),
          own ? "change the conversation" : "use the plain prompt, or another template"};
}

std::tm timeOf(const std::optional<std::int64_t>& seconds) {
  std::tm result{};
  const auto time = static_cast<std::time_t>(seconds.value_or(0));
  if (seconds) {
    gmtime_r(&time, &result);
  } else {
    const std::time_t now = std::time(nullptr);
    localtime_r(&now, &result);
  }
  return result;
}

}  // namespace

Result<ChatTemplate> ChatTemplate::parse(std::string_view source, nlohmann::ordered_json tokens,
                                         const std::string& file) {
  std::size_t badByte = 0;
  if (!isValidUtf8(source, &badByte)) {
    return fail("chat.syntax", file, fmt::format("byte {}", badByte), "the template is not UTF-8",
                "get the file again");
  }
  ChatTemplate result;
  result.m_tokens = std::move(tokens);
  result.m_file = file;
  try {
    result.m_tree = parseTemplate(source);
  } catch (const Fault& fault) {
    return fail(errorOf(fault, file));
  }
  return result;
}

Result<std::string> ChatTemplate::render(const std::vector<Turn>& turns, const RenderOptions& options) const {
  auto messages = nlohmann::ordered_json::array();
  for (const Turn& turn : turns) messages.push_back({{"role", turn.role}, {"content", turn.content}});
  return render(messages, options);
}

Result<std::string> ChatTemplate::render(const nlohmann::ordered_json& messages,
                                         const RenderOptions& options) const {
  Evaluator evaluator(options.limits, timeOf(options.time));
  try {
    for (const char* name : {"tools", "documents"}) evaluator.set(name, {});
    for (const auto& [name, value] : m_tokens.items()) evaluator.set(name, Value::fromJson(value));
    evaluator.set("messages", Value::fromJson(messages));
    evaluator.set("add_generation_prompt", options.addGenerationPrompt);
    for (const auto& [name, value] : options.variables.items()) evaluator.set(name, Value::fromJson(value));
    return evaluator.run(*m_tree);
  } catch (const Fault& fault) {
    return fail(errorOf(fault, m_file));
  }
}

}  // namespace moescope::chat
