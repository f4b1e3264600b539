// SentencePieceNormalizer: SentencePiece's own normalisation, the longest replacement at each place and its
// rules for spaces. Not for the normalizer "Precompiled" of tokenizer.json (precompiled.h).
#pragma once

#include "core/tokenizer/charsmap.h"
#include "core/tokenizer/normalizer.h"
#include "core/tokenizer/prefix_trie.h"
#include "core/tokenizer/sentencepiece_file.h"

namespace moescope::tokenizer {

class SentencePieceNormalizer final : public Normalizer {
 public:
  /// `symbols` (user-defined pieces) are left as they are.
  SentencePieceNormalizer(const SentencePieceFile& file, Charsmap map, PrefixTrie symbols);
  void apply(AlignedText& text) const override;

 private:
  class Run;
  Charsmap m_map;
  PrefixTrie m_symbols;
  bool m_addPrefix;
  bool m_removeExtra;
  std::string m_space;
};

}  // namespace moescope::tokenizer
