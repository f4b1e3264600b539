// What tokenizer_config.json adds around a text. Not for chat templates.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/tokenizer/vocabulary.h"

namespace moescope::tokenizer {

struct SpecialTokens {
  std::int32_t begin = -1;  ///< bos_token where add_bos_token is true, else -1
  std::int32_t end = -1;    ///< eos_token where add_eos_token is true, else -1
};

/// Errors (thrown): `tokenizer.*` for text that is no JSON object, `tokenizer.bad_value` for a token that is
/// to be added but unknown.
/// `byDefault` are tokens that are added where the configuration has neither the flag nor the token; empty
/// ones, and ones that the vocabulary lacks, are not.
struct DefaultTokens {
  std::string begin;
  std::string end;
};
SpecialTokens readSpecialTokens(std::string_view configJson, const std::string& file,
                                const Vocabulary& vocabulary, const DefaultTokens& byDefault = {});

}  // namespace moescope::tokenizer
