// BpeTables: what byte-pair encoding looks up, read from the file. Not for encoding (bpe.h).
#pragma once

#include "core/tokenizer/byte_pieces.h"
#include "core/tokenizer/character_map.h"
#include "core/tokenizer/component.h"
#include "core/tokenizer/merge_table.h"
#include "core/tokenizer/vocabulary.h"

namespace moescope::tokenizer {

struct BpeTables {
  MergeTable merges{0};
  bool byteLevel = false;     ///< pieces start as bytes, else as characters
  ByteIds byteIds{};          ///< of the byte alphabet (byteLevel) or of `<0xNN>`; -1: missing
  CharacterMap characters;    ///< unless byteLevel
  bool byteFallback = false;  ///< a missing character becomes bytes, if all of them are there
  std::int32_t unknown = -1;
  bool fuseUnknown = false;
  bool wholePiecesFirst = false;  ///< ignore_merges
  /// Pairs of first symbols that some merge joins; two that are not in it never come together, so that a
  /// piece may be cut between them. Empty if `cuts` is false.
  MergeTable joins{0};
  bool cuts = false;
  const Vocabulary* vocabulary = nullptr;
};

/// Reads the model "BPE"; errors as makeModel.
BpeTables readBpe(const Component& component, bool byteLevel, Vocabulary& vocabulary);

/// Sets `joins` and `cuts` from the pairs of ids that merge.
void findJoins(BpeTables& tables, const std::vector<std::pair<std::int32_t, std::int32_t>>& pairs);

}  // namespace moescope::tokenizer
