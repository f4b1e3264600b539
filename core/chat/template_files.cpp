// ChatTemplate::open and fromStored: where a checkpoint keeps its template and special tokens.
#include <fmt/format.h>

#include "core/base/mapped_file.h"
#include "core/base/strict_json.h"
#include "core/chat/chat_template.h"

namespace moescope::chat {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kMaxConfig = 16u << 20;
constexpr std::size_t kMaxTemplate = 1u << 20;

Result<json> readConfig(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return json::object();
  const auto text = readTextFile(file, kMaxConfig);
  if (!text) return fail(text.error());
  auto document = parseStrictJson(*text);
  const char* kAdvice = "get the file again";
  if (!document) {
    return fail("chat.bad_config", file.string(), document.error().where, document.error().message, kAdvice);
  }
  if (!document->is_object())
    return fail("chat.bad_config", file.string(), {}, "an object is needed", kAdvice);
  return *std::move(document);
}

/// Variables such as bos_token, written as a text or as an object with `content`.
nlohmann::ordered_json tokensOf(const json& config) {
  auto tokens = nlohmann::ordered_json::object();
  for (const auto& [key, value] : config.items()) {
    if (!key.ends_with("_token")) continue;
    if (value.is_string()) tokens[key] = value.get<std::string>();
    if (value.is_object() && value.contains("content") && value["content"].is_string()) {
      tokens[key] = value["content"].get<std::string>();
    }
  }
  return tokens;
}

/// The template's text; empty if the configuration has none.
Result<std::string> templateIn(const json& config, const std::string& file) {
  const auto member = config.find("chat_template");
  if (member == config.end() || member->is_null()) return std::string();
  if (member->is_string()) return member->get<std::string>();
  if (member->is_array()) {
    for (const json& entry : *member) {
      const bool named = entry.is_object() && entry.value("name", json()) == "default";
      if (named && entry.value("template", json()).is_string()) return entry["template"].get<std::string>();
    }
  }
  return fail("chat.bad_config", file, "chat_template",
              "a text or a list with the template \"default\" is needed",
              "use the plain prompt, or write chat_template.jinja");
}

tl::unexpected<Error> missing(const std::string& file) {
  return fail("chat.missing", file, {}, "the model has no chat template",
              "use the plain prompt, or write chat_template.jinja");
}

}  // namespace

Result<ChatTemplate> ChatTemplate::open(const fs::path& folder) {
  const fs::path configFile = folder / "tokenizer_config.json";
  const auto config = readConfig(configFile);
  if (!config) return fail(config.error());
  const fs::path own = folder / "chat_template.jinja";
  std::error_code ignored;
  if (fs::exists(own, ignored)) {
    const auto text = readTextFile(own, kMaxTemplate);
    if (!text) return fail(text.error());
    return parse(*text, tokensOf(*config), own.string());
  }
  const auto text = templateIn(*config, configFile.string());
  if (!text) return fail(text.error());
  if (text->empty()) {
    return missing(folder.string());
  }
  return parse(*text, tokensOf(*config), configFile.string());
}

Result<ChatTemplate> ChatTemplate::fromStored(const StoredVocabulary& stored, const std::string& file) {
  if (stored.chatTemplate.empty()) return missing(file);
  auto tokens = nlohmann::ordered_json::object();
  if (stored.begin) tokens["bos_token"] = stored.pieces[static_cast<std::size_t>(*stored.begin)];
  if (stored.end) tokens["eos_token"] = stored.pieces[static_cast<std::size_t>(*stored.end)];
  return parse(stored.chatTemplate, std::move(tokens), file);
}

}  // namespace moescope::chat
