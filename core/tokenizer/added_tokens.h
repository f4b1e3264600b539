// Added tokens: found as they are written, before the text is cut and encoded. Not for the model's own
// tokens.
#pragma once

#include <string_view>
#include <vector>

#include "core/tokenizer/aligned_text.h"
#include "core/tokenizer/component.h"
#include "core/tokenizer/normalizer.h"
#include "core/tokenizer/token_trie.h"
#include "core/tokenizer/vocabulary.h"

namespace moescope::tokenizer {

class AddedTokens {
 public:
  /// A part of a text: an added token, or text that is still to be encoded.
  struct Segment {
    AlignedText text;
    std::int32_t id = -1;  ///< -1: text
  };

  AddedTokens() = default;
  /// Reads the list "added_tokens" and adds it to the vocabulary. Errors (thrown): `tokenizer.bad_id`,
  /// `tokenizer.duplicate_id`, `tokenizer.bad_value`, `tokenizer.wrong_type`.
  AddedTokens(const Component& component, const Normalizer& normalizer, Vocabulary& vocabulary);

  /// Tokens on the original text, then the normalizer, then tokens on the normalised text. Throws a Refusal
  /// `tokenizer.added_tokens` if they take the same whitespace again and again.
  [[nodiscard]] std::vector<Segment> split(std::string_view text, const Normalizer& normalizer) const;

 private:
  struct Token {
    std::int32_t id = 0;
    bool singleWord = false;
    bool stripLeft = false;
    bool stripRight = false;
  };
  /// True if the vocabulary has the token now.
  static bool enter(const Component& component, std::int64_t largest, Vocabulary& vocabulary);
  void read(const Component& component, const Normalizer& normalizer, Vocabulary& vocabulary);
  void extract(AlignedText text, const TokenTrie& trie, std::vector<Segment>& segments) const;

  std::vector<Token> m_tokens;
  TokenTrie m_raw;         // indices into m_tokens
  TokenTrie m_normalized;  // the same, for tokens with normalized true
};

}  // namespace moescope::tokenizer
