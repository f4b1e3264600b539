// ForwardKit: what the engine gives to the forward pass of a family that comes from an adapter: weights,
// matrix products, attention, routing with steering and taps, experts, outputs; without a torch type. Not the
// forward pass itself (ModelForward), and not for the families of the table.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/checkpoint/model_adapter.h"
#include "core/engine/api/token_rows.h"

namespace moescope::engine {

/// Tokens a block of prefill, aligned to multiples of it: large enough that the weights are read once for
/// many tokens, small enough that a block's activations stay in the second cache.
inline constexpr int kPrefillBlock = 128;

/// What a router chose for some rows: [rows, stride]; id -1 where there is no choice or it was dropped.
struct RoutedRows {
  const std::int32_t* ids = nullptr;
  const float* weights = nullptr;
  int stride = 0;

  [[nodiscard]] std::int32_t id(int row, int choice) const {
    return ids[static_cast<std::int64_t>(row) * stride + choice];
  }
};

/// A matrix [rows, columns] of the model, whatever its storage; valid as long as the kit.
struct KitMatrix {
  const void* handle = nullptr;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

/// Keys and values of one sequence, float32, memory for its whole context.
class AttentionCache {
 public:
  virtual ~AttentionCache() = default;
  /// `key` [headDim] and `value` [valueDim] of a key-value head at a position.
  virtual void write(int layer, int head, std::int64_t position, const float* key, const float* value) = 0;
  /// What `other`, of the same shape, holds before `position`.
  virtual void copyFrom(const AttentionCache& other, std::int64_t position) = 0;
};

/// One query head of one token.
struct AttentionQuery {
  const float* query = nullptr;  ///< [headDim]
  float* mixed = nullptr;        ///< [valueDim], written
  int head = 0;                  ///< key-value head that it looks at
  std::int64_t position = 0;     ///< sees this position and those before
  /// [position + 1] added to the scaled products of query and keys; null: nothing.
  const float* bias = nullptr;
};

/// The tokens of a call of ModelForward::forward; at most kPrefillBlock, but in encoder-decoders and where
/// experts have a capacity whatever the caller forwards together.
struct ForwardBlock {
  std::span<const std::int32_t> ids;
  std::int64_t position = 0;  ///< of the first; what was kept of positions from here on counts no more
  bool decode = false;        ///< of encoder-decoders: tokens of the decoder, else the encoder's whole input
};

/// Of one sequence. Rows are those of the block, [tokens, width]; `from` and `to` are different rows unless a
/// function says otherwise. A result of a row does not depend on the other rows of its block or on threads.
class ForwardKit {
 public:
  virtual ~ForwardKit() = default;

  [[nodiscard]] virtual const checkpoint::ModelDescription& description() const = 0;
  [[nodiscard]] virtual std::int64_t capacity() const = 0;  ///< positions of the context
  /// An own tensor of the adapter by its name, of a stack the part; throws std::out_of_range if
  /// there is none.
  [[nodiscard]] virtual KitMatrix matrix(const std::string& name, int part = 0) const = 0;
  [[nodiscard]] virtual const std::vector<float>& vector(const std::string& name) const = 0;

  /// Rows of the embedding, times the description's multiplier.
  virtual void embed(const TokenRows& to) = 0;
  /// to = matrix * from, the first `rows` rows.
  virtual void multiply(const KitMatrix& matrix, const TokenRows& from, const TokenRows& to, int rows) = 0;
  /// to = weight * from / sqrt(mean(from^2) + eps) over `weight.size()` numbers; may be in place.
  virtual void rmsNorm(const float* from, std::span<const float> weight, double eps, float* to) const = 0;
  /// to = weight * (from - mean) / sqrt(variance + eps) + bias over `weight.size()` numbers (Ba et al. 2016);
  /// may be in place.
  virtual void layerNorm(const float* from, std::span<const float> weight, std::span<const float> bias,
                         double eps, float* to) const = 0;
  /// gate = silu(gate) * up.
  virtual void siluTimes(float* gate, const float* up, std::int64_t count) const = 0;
  /// to += from.
  virtual void add(float* to, const float* from, std::int64_t count) const = 0;

  /// Rotates a head of the block's token in place, as the description's RoPE says.
  virtual void rotateHead(int token, float* head) const = 0;
  /// The first `heads` heads of `headDim` numbers in every row.
  virtual void rotate(const TokenRows& rows, int heads, int headDim) const = 0;
  /// Errors: `machine.out_of_memory`.
  virtual Result<std::unique_ptr<AttentionCache>> newCache(const checkpoint::AttentionShape& shape) = 0;
  /// softmax(scale * q k^T) v for every query; of `layer` of the cache. `window` 0: all positions up to its
  /// own.
  virtual void attend(const AttentionCache& cache, int layer, std::span<const AttentionQuery> queries,
                      double scale, std::int64_t window = 0) = 0;
  /// `work(i)` for i in [0, tasks) on the engine's threads; it must not throw. `cost` in multiplications says
  /// whether waking threads pays.
  virtual void parallel(std::int64_t tasks, std::int64_t cost,
                        const std::function<void(std::int64_t)>& work) const = 0;

  /// The choice of a router (index into the description's) on `inputs`, raw logits = matrix * input: native,
  /// or as the steering plan says; fills the router's tap. Valid until the router's next call. Errors:
  /// `steering.all_banned`. `bias` [experts] is added to the raw logits; empty: none.
  virtual Result<RoutedRows> route(int router, const KitMatrix& matrix, const TokenRows& inputs,
                                   const std::vector<float>& bias = {}) = 0;
  /// Row t * stride + c of `slots` = expert c's matrix of token t, times row t of `from`. `slots` grows.
  virtual void project(const RoutedRows& routed, std::span<const KitMatrix> experts, const TokenRows& from,
                       TokenRows& slots) = 0;
  /// to = sum over a token's choices of weight * matrix * slot, in ascending order of the experts.
  virtual void combine(const RoutedRows& routed, std::span<const KitMatrix> experts, const TokenRows& slots,
                       const TokenRows& to) = 0;
  /// The feed-forward sublayer that the description and the NameMap give: router, experts and shared expert
  /// with all taps, or a dense MLP. Errors: as route.
  virtual Result<void> feedForward(int layer, const TokenRows& from, const TokenRows& to) = 0;

  /// The stream after a layer, where it is watched.
  virtual void showHidden(int layer, const TokenRows& rows) = 0;
  /// Logits of the rows that are asked for: head * normed, divided by the description's divisor.
  virtual void head(const TokenRows& normed) = 0;
};

/// The forward pass of one sequence and what it keeps between blocks. One thread.
class ModelForward {
 public:
  virtual ~ModelForward() = default;
  /// The whole pass of a block. A position may be one that was forwarded before: everything from there on is
  /// then forgotten, and the result has the same bits as if it had never been. Errors: those of the kit.
  virtual Result<void> forward(const ForwardBlock& block) = 0;
  /// What `other`, made by the same adapter for the same model, keeps of the positions before `position`.
  virtual void copyFrom(const ModelForward& other, std::int64_t position) = 0;
};

}  // namespace moescope::engine
