// StoredVocabulary: a tokenizer as the metadata of a checkpoint's file holds it. Not for encoding, and not
// checked: its reader knows no tokenizers, and tokenizers know no checkpoints.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace moescope {

/// What a piece is (the numbers of SentencePiece and of GGUF).
enum class StoredPieceType : std::uint8_t { Normal = 1, Unknown, Control, UserDefined, Unused, Byte };

struct StoredVocabulary {
  std::string model;                   ///< "gpt2": byte-level BPE; "llama": SentencePiece BPE
  std::string preTokenizer;            ///< name of the rules that cut a text into words; of "gpt2"
  std::vector<std::string> pieces;     ///< by id
  std::vector<StoredPieceType> types;  ///< by id
  std::vector<float> scores;           ///< by id, of "llama"; else empty
  std::vector<std::string> merges;     ///< "a b", first ones first, of "gpt2"; else empty
  std::optional<std::int32_t> begin, end;
  std::optional<bool> addBegin, addEnd, addSpacePrefix, removeExtraSpaces;
  std::string chatTemplate;  ///< empty: none
};

}  // namespace moescope
