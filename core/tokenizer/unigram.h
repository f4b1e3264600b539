// Unigram: the pieces with the highest sum of scores (Kudo 2018, "Subword regularization", equation 4, by the
// Viterbi algorithm). Not for training or sampling.
#pragma once

#include "core/tokenizer/byte_pieces.h"
#include "core/tokenizer/model.h"
#include "core/tokenizer/prefix_trie.h"

namespace moescope::tokenizer {

struct UnigramTables {
  std::vector<double> scores;  ///< by id, log probabilities
  PrefixTrie trie;
  ByteIds byteIds{};
  bool byteFallback = false;
  std::int32_t unknown = -1;
  double unknownScore = 0;       ///< 10 below the lowest score
  bool singlePrecision = false;  ///< sums are rounded to float, as SentencePiece has them
};

/// The model row "Unigram"; see makeModel.
std::unique_ptr<const Model> makeUnigram(const Component& component, bool byteLevel, Vocabulary& vocabulary);
std::unique_ptr<const Model> makeUnigram(UnigramTables tables);

/// Longest piece in bytes, which bounds the search at one place of a text.
inline constexpr std::size_t kMaxUnigramPiece = 1024;
/// What the unknown token's score lies below the lowest one.
inline constexpr double kUnknownPenalty = 10;

}  // namespace moescope::tokenizer
