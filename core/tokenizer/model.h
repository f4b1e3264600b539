// Models of tokenizer.json: how a piece of text becomes tokens. Not for cutting text into pieces.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string_view>
#include <vector>

#include "core/tokenizer/component.h"
#include "core/tokenizer/vocabulary.h"

namespace moescope::tokenizer {

/// A token and the bytes [begin, end) of its piece.
struct ModelToken {
  std::int32_t id = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool asWritten = false;  ///< shown as in the text, not as in the vocabulary
};

/// Encodes the pieces of one text; keeps memory between them. Not thread-safe.
class PieceEncoder {
 public:
  virtual ~PieceEncoder() = default;
  /// Appends the tokens of a piece (not empty). Throws a Refusal `cancelled` soon after a stop is asked for.
  virtual void encode(std::string_view piece, std::vector<ModelToken>& tokens) = 0;
};

/// Immutable.
class Model {
 public:
  virtual ~Model() = default;
  [[nodiscard]] virtual std::unique_ptr<PieceEncoder> encoder(std::stop_token stop = {}) const = 0;
};

/// Throws a Refusal `cancelled` if a stop is asked for.
void throwIfStopped(const std::stop_token& stop);

/// Reads the model and adds its pieces to the vocabulary, which must outlive the model. Errors (thrown):
/// `tokenizer.unsupported`, `tokenizer.bad_id`, `tokenizer.duplicate_id`, `tokenizer.bad_merge`,
/// `tokenizer.bad_vocabulary`, `tokenizer.wrong_type`.
std::unique_ptr<const Model> makeModel(const Component& component, bool byteLevel, Vocabulary& vocabulary);

}  // namespace moescope::tokenizer
