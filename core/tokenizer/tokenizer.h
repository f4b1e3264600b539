// Tokenizer: text to token ids and back, by tokenizer.json or a SentencePiece model. Not for chat templates
// or for running models.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/stored_vocabulary.h"

namespace moescope::tokenizer {

/// One token of an encoded text; begin and end (exclusive) count code points of the original text.
struct EncodedToken {
  std::int32_t id = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// Immutable after loading; safe to use from any thread.
class Tokenizer {
 public:
  /// The tokenizer's file in a folder: tokenizer.json, else a SentencePiece model (tokenizer.model,
  /// spiece.model, sentencepiece.bpe.model); tokenizer.json if there is none.
  static std::filesystem::path fileIn(const std::filesystem::path& folder);
  /// Reads tokenizer.json, or a SentencePiece model if the name ends in .model, and, where it is there,
  /// tokenizer_config.json beside it. If the file is not there, the folder's own is taken (fileIn). Errors:
  /// `tokenizer.*`, `file.*`.
  static Result<std::shared_ptr<const Tokenizer>> open(const std::filesystem::path& tokenizerFile);
  /// The same from text (an empty `configJson` is none); `file` is used in errors.
  static Result<std::shared_ptr<const Tokenizer>> parse(std::string_view tokenizerJson,
                                                        std::string_view configJson, const std::string& file);
  /// A SentencePiece model (protobuf, BPE or Unigram) from its bytes. Its control symbols are special tokens
  /// and found in texts, as transformers does it.
  static Result<std::shared_ptr<const Tokenizer>> parseSentencePiece(std::string_view model,
                                                                     std::string_view configJson,
                                                                     const std::string& file);
  /// What a GGUF file's metadata hold: byte-level BPE ("gpt2") or SentencePiece BPE ("llama"). Errors:
  /// `tokenizer.*`, of them `tokenizer.unsupported` with the name of what is not known.
  static Result<std::shared_ptr<const Tokenizer>> fromStored(const StoredVocabulary& stored,
                                                             const std::string& file);
  virtual ~Tokenizer() = default;

  /// Encodes UTF-8. `addSpecial` applies the post-processor's template and add_bos_token and add_eos_token of
  /// tokenizer_config.json; a token that stands there already is not doubled. `pieces`, if given, gets the
  /// tokens as written, added ones with the whitespace they took from the text.
  /// Errors: `tokenizer.not_utf8` with the byte, `tokenizer.pattern` if a pattern from the file runs away,
  /// `tokenizer.added_tokens`, `tokenizer.too_large`, `cancelled` soon after a stop is asked for.
  [[nodiscard]] virtual Result<std::vector<EncodedToken>> encode(std::string_view text, bool addSpecial,
                                                                 std::vector<std::string>* pieces = nullptr,
                                                                 std::stop_token stop = {}) const = 0;
  /// Text of ids through the decoder; ids outside the vocabulary are skipped, special tokens too if asked.
  [[nodiscard]] virtual std::string decode(const std::vector<std::int32_t>& ids, bool skipSpecial) const = 0;

  /// The bytes that one token stands for, as they are when it continues a text (may be part of a
  /// character). Empty for ids outside the vocabulary.
  [[nodiscard]] virtual std::string bytes(std::int32_t id) const = 0;
  /// The token as written in tokenizer.json ("Ġthe").
  [[nodiscard]] virtual std::string piece(std::int32_t id) const = 0;
  [[nodiscard]] virtual std::int32_t idOf(std::string_view piece) const = 0;  ///< -1 if unknown
  [[nodiscard]] virtual bool isSpecial(std::int32_t id) const = 0;
  [[nodiscard]] virtual std::int32_t vocabularySize() const = 0;  ///< largest id + 1
  [[nodiscard]] virtual std::string contentHash() const = 0;      ///< of tokenizer.json
};

/// Turns tokens into text while they come, never splitting a character: bytes of an unfinished one
/// are kept back. Not thread-safe.
class StreamDecoder {
 public:
  explicit StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer);

  /// Text that became complete with this token (may be empty). Special tokens give nothing.
  std::string push(std::int32_t id);
  /// What is left at the end; bytes that never became a character are written as U+FFFD.
  std::string finish();

 private:
  std::shared_ptr<const Tokenizer> m_tokenizer;
  std::string m_pending;
};

}  // namespace moescope::tokenizer
