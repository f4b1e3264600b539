#include "core/tokenizer/special_tokens.h"

#include "core/tokenizer/component.h"

namespace moescope::tokenizer {

namespace {

/// The id of a token, written as a string or as an object with `content`.
std::int32_t tokenToAdd(const Component& config, const char* flag, const char* key,
                        const Vocabulary& vocabulary) {
  if (!config.flag(flag, false)) return -1;
  const Component token = config.at(key);
  if (token.isNull()) return -1;
  const std::string& content = token.value().is_object() ? token.at("content").text() : token.text();
  const std::int32_t id = vocabulary.idOf(content);
  if (id < 0) token.refuse("tokenizer.bad_value", "tokenizer.json has no token " + shownText(content));
  return id;
}

}  // namespace

SpecialTokens readSpecialTokens(std::string_view configJson, const std::string& file,
                                const Vocabulary& vocabulary) {
  if (configJson.empty()) return {};
  const nlohmann::json document = parseDocument(configJson, file);
  const Component config(document, file, "");
  return {tokenToAdd(config, "add_bos_token", "bos_token", vocabulary),
          tokenToAdd(config, "add_eos_token", "eos_token", vocabulary)};
}

}  // namespace moescope::tokenizer
