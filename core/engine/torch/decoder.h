// Decoder: the forward pass of one sequence on one device, a block of tokens at a time.
// Not for cutting steps into blocks, checking requests or counting positions (DecoderSession).
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/base/result.h"
#include "core/engine/api/forward_kit.h"
#include "core/engine/torch/step_buffers.h"

namespace moescope::engine {

/// Tokens that a decoder with room for `context` takes at once. Where experts have a capacity it is all of
/// them: what is dropped depends on every token of a prompt; and a source is seen from both sides.
inline int prefillBlock(const checkpoint::ModelDescription& description, std::int64_t context) {
  return description.capacity || description.encoder ? static_cast<int>(context) : kPrefillBlock;
}

struct DecoderBlock {
  std::span<const std::int32_t> ids;  ///< at most prefillBlock(), inside the vocabulary
  std::int64_t position = 0;          ///< of the first; what the cache holds before it is used
  int firstRow = 0;                   ///< its row in the step
  std::int64_t sequence = 0;          ///< positions that the sequence has after the step
  bool decode = false;                ///< of encoder-decoders: tokens of the decoder
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  [[nodiscard]] virtual std::int64_t capacity() const = 0;
  /// Forwards a block and fills `step`. Positions before the block's keep their cache entries. Errors:
  /// `steering.all_banned`, `machine.out_of_memory`.
  virtual Result<void> forward(const DecoderBlock& block, StepBuffers& step) = 0;
  /// A copy with the first `position` entries of the cache.
  virtual Result<std::unique_ptr<Decoder>> fork(std::int64_t position) const = 0;
};

}  // namespace moescope::engine
