// TokenizerParts: the components of a tokenizer, filled from one kind of file or another. Not for using them
// (assembled_tokenizer.h).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/tokenizer/added_tokens.h"
#include "core/tokenizer/decoder.h"
#include "core/tokenizer/model.h"
#include "core/tokenizer/normalizer.h"
#include "core/tokenizer/post_processor.h"
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/special_tokens.h"
#include "core/tokenizer/vocabulary.h"

namespace moescope::tokenizer {

/// Stays at one place: the model refers to the vocabulary.
struct TokenizerParts {
  TokenizerParts() = default;
  TokenizerParts(const TokenizerParts&) = delete;
  TokenizerParts& operator=(const TokenizerParts&) = delete;

  Vocabulary vocabulary;
  std::unique_ptr<const Normalizer> normalizer;
  std::unique_ptr<const PreTokenizer> preTokenizer;
  std::unique_ptr<const Model> model;
  AddedTokens addedTokens;
  std::unique_ptr<const PostProcessor> postProcessor;
  std::unique_ptr<const Decoder> decoder;
  SpecialTokens special;
};

/// From tokenizer.json. Throws a Refusal.
void readJsonParts(std::string_view tokenizerJson, std::string_view configJson, const std::string& file,
                   TokenizerParts& parts);
/// The same from a document.
void readJsonParts(const nlohmann::json& document, std::string_view configJson, const std::string& file,
                   TokenizerParts& parts);

}  // namespace moescope::tokenizer
