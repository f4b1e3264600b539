// SentencePieceFile: what a SentencePiece model file holds (sentencepiece_model.proto). Not for tokenizing
// (sentencepiece_parts.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::tokenizer {

struct SentencePieceFile {
  enum class Type { Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6 };
  struct Piece {
    std::string text;
    float score = 0;
    Type type = Type::Normal;
  };
  enum class Kind { Unigram = 1, Bpe = 2, Word = 3, Character = 4 };

  std::vector<Piece> pieces;  ///< by id
  Kind kind = Kind::Unigram;
  bool byteFallback = false;
  bool spaceAsSuffix = false;
  std::string charsmap;  ///< see Charsmap
  bool addDummyPrefix = true;
  bool removeExtraSpaces = true;
  bool escapeSpaces = true;
};

/// Errors (thrown): `tokenizer.bad_protobuf`, `tokenizer.bad_value`.
SentencePieceFile readSentencePieceFile(std::string_view bytes, const std::string& file);

}  // namespace moescope::tokenizer
