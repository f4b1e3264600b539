#include "core/tokenizer/special_tokens.h"

#include "core/tokenizer/component.h"

namespace moescope::tokenizer {

namespace {

/// The id of a token, written as a string or as an object with `content`.
std::int32_t tokenToAdd(const Component& config, const char* flag, const char* key,
                        const Vocabulary& vocabulary, const std::string& byDefault) {
  if (!config.flag(flag, !byDefault.empty())) return -1;
  const Component token = config.at(key);
  if (token.isNull()) return byDefault.empty() ? -1 : vocabulary.idOf(byDefault);
  const std::string& content = token.value().is_object() ? token.at("content").text() : token.text();
  const std::int32_t id = vocabulary.idOf(content);
  if (id < 0) token.refuse("tokenizer.bad_value", "the vocabulary has no token " + shownText(content));
  return id;
}

}  // namespace

SpecialTokens readSpecialTokens(std::string_view configJson, const std::string& file,
                                const Vocabulary& vocabulary, const DefaultTokens& byDefault) {
  const nlohmann::json document =
      configJson.empty() ? nlohmann::json::object() : parseDocument(configJson, file);
  const Component config(document, file, "");
  return {tokenToAdd(config, "add_bos_token", "bos_token", vocabulary, byDefault.begin),
          tokenToAdd(config, "add_eos_token", "eos_token", vocabulary, byDefault.end)};
}

}  // namespace moescope::tokenizer
