#include "core/tokenizer/sentencepiece_file.h"

#include <cmath>

#include <fmt/format.h>

#include "core/base/strict_json.h"
#include "core/tokenizer/component.h"
#include "core/tokenizer/protobuf.h"

namespace moescope::tokenizer {

namespace {

// Numbers of the fields in sentencepiece_model.proto.
namespace field {
constexpr std::uint64_t kPieces = 1, kTrainer = 2, kNormalizer = 3;
constexpr std::uint64_t kText = 1, kScore = 2, kType = 3;
constexpr std::uint64_t kModelType = 3, kSpaceAsSuffix = 24, kByteFallback = 35;
constexpr std::uint64_t kCharsmap = 2, kDummyPrefix = 3, kRemoveSpaces = 4, kEscapeSpaces = 5;
}  // namespace field

class Reader {
 public:
  explicit Reader(const std::string& file) : m_file(file) {}

  SentencePieceFile read(std::string_view bytes) {
    SentencePieceFile result;
    fields(bytes, "the file", [&](const ProtobufField& entry) {
      if (!entry.isBytes) return;
      if (entry.number == field::kPieces) result.pieces.push_back(piece(entry.bytes, result.pieces.size()));
      if (entry.number == field::kTrainer) trainer(entry.bytes, result);
      if (entry.number == field::kNormalizer) normalizer(entry.bytes, result);
    });
    if (result.pieces.empty()) refuse("tokenizer.bad_protobuf", "the file", "the file has no pieces");
    return result;
  }

 private:
  [[noreturn]] void refuse(const char* kind, const std::string& where, const std::string& message) const {
    throw Refusal({kind, m_file, where, message, "get the file again; it must be a SentencePiece model"});
  }

  template <class Use>
  void fields(std::string_view message, const std::string& where, const Use& use) const {
    ProtobufReader reader(message);
    ProtobufField entry;
    while (reader.next(entry)) use(entry);
    if (reader.broken()) refuse("tokenizer.bad_protobuf", where, "this is no protobuf message");
  }

  [[nodiscard]] SentencePieceFile::Piece piece(std::string_view message, std::size_t id) const {
    const std::string where = fmt::format("piece {}", id);
    SentencePieceFile::Piece result;
    std::uint64_t type = 1;
    fields(message, where, [&](const ProtobufField& entry) {
      if (entry.number == field::kText && entry.isBytes) result.text = entry.bytes;
      if (entry.number == field::kScore && !entry.isBytes) result.score = entry.real();
      if (entry.number == field::kType && !entry.isBytes) type = entry.value;
    });
    if (result.text.empty() || !isValidUtf8(result.text)) {
      refuse("tokenizer.bad_value", where, "the piece is no text");
    }
    if (!std::isfinite(result.score)) refuse("tokenizer.bad_value", where, "the score is no finite number");
    if (type < 1 || type > 6) refuse("tokenizer.bad_value", where, fmt::format("there is no type {}", type));
    result.type = static_cast<SentencePieceFile::Type>(type);
    return result;
  }

  void trainer(std::string_view message, SentencePieceFile& result) const {
    std::uint64_t kind = 1;
    fields(message, "trainer_spec", [&](const ProtobufField& entry) {
      if (entry.number == field::kModelType) kind = entry.value;
      if (entry.number == field::kSpaceAsSuffix) result.spaceAsSuffix = entry.value != 0;
      if (entry.number == field::kByteFallback) result.byteFallback = entry.value != 0;
    });
    if (kind < 1 || kind > 4) {
      refuse("tokenizer.bad_value", "trainer_spec.model_type",
             fmt::format("there is no model type {}", kind));
    }
    result.kind = static_cast<SentencePieceFile::Kind>(kind);
  }

  void normalizer(std::string_view message, SentencePieceFile& result) const {
    fields(message, "normalizer_spec", [&](const ProtobufField& entry) {
      if (entry.number == field::kCharsmap && entry.isBytes) result.charsmap = entry.bytes;
      if (entry.number == field::kDummyPrefix) result.addDummyPrefix = entry.value != 0;
      if (entry.number == field::kRemoveSpaces) result.removeExtraSpaces = entry.value != 0;
      if (entry.number == field::kEscapeSpaces) result.escapeSpaces = entry.value != 0;
    });
  }

  const std::string& m_file;
};

}  // namespace

SentencePieceFile readSentencePieceFile(std::string_view bytes, const std::string& file) {
  return Reader(file).read(bytes);
}

}  // namespace moescope::tokenizer
