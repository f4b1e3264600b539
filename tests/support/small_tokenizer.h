// What the tests of the tokenizer share: the smallest tokenizer.json that loads, and short ways to use one.
#pragma once

#include <string>
#include <vector>

#include <QtGlobal>
#include <nlohmann/json.hpp>

#include "core/tokenizer/tokenizer.h"

namespace moescope::tests {

using TokenIds = std::vector<std::int32_t>;
using OpenedTokenizer = Result<std::shared_ptr<const tokenizer::Tokenizer>>;

/// The smallest file that loads: bytes 'a', 'b' and space, "ab" by a merge.
inline nlohmann::json smallDocument() {
  return {{"version", "1.0"},
          {"added_tokens", nlohmann::json::array()},
          {"normalizer", nullptr},
          {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}},
          {"post_processor", nullptr},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model",
           {{"type", "BPE"},
            {"vocab", {{"a", 0}, {"b", 1}, {"Ġ", 2}, {"ab", 3}}},
            {"merges", nlohmann::json::array({"a b"})}}}};
}

inline OpenedTokenizer parse(const nlohmann::json& document, const std::string& config = {}) {
  return tokenizer::Tokenizer::parse(document.dump(), config, "tokenizer.json");
}

inline TokenIds idsOf(const tokenizer::Tokenizer& opened, std::string_view text, bool special = false) {
  const auto tokens = opened.encode(text, special);
  if (!tokens) qFatal("%s", tokens.error().text().c_str());
  TokenIds ids;
  for (const auto& token : *tokens) ids.push_back(token.id);
  return ids;
}

/// Kind of the error that loading gives, or "none".
inline std::string kindOf(const OpenedTokenizer& opened) { return opened ? "none" : opened.error().kind; }

}  // namespace moescope::tests
