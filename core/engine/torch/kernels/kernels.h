// Kernels: the arithmetic of the CPU decoder on raw pointers, one table an instruction set.
// Not for threads (thread_pool.h) and not for deciding what is computed (cpu_decoder.h).
#pragma once

#include <cstdint>
#include <vector>

namespace moescope::engine {

/// How the elements of a weight matrix lie in memory.
enum class Storage : std::uint8_t {
  F32,
  BF16,
  F16,
  Q8_0,  ///< ggml's blocks of 32: a half-precision factor, then 32 integers of 8 bits
  Q4_0   ///< the same with 32 integers of 4 bits, offset by 8; two a byte, 16 apart
};

/// Elements that share a factor, in the storages that have one; a row is a whole number of them.
inline constexpr std::int64_t kBlockElements = 32;

/// Of `elements` elements, whole blocks.
constexpr std::int64_t bytesOf(Storage storage, std::int64_t elements) {
  switch (storage) {
    case Storage::F32: return 4 * elements;
    case Storage::BF16:
    case Storage::F16: return 2 * elements;
    case Storage::Q8_0: return elements / kBlockElements * 34;
    case Storage::Q4_0: return elements / kBlockElements * 18;
  }
  return 0;
}

/// Buffers that `scores`, `softmax` and `mixValues` touch must be this many floats longer than needed,
/// rounded up: keys are stored and scored in tiles of this many positions.
inline constexpr std::int64_t kKeyTile = 16;

/// Rows [firstRow, endRow) of `weights` [rows, columns], row-major, times one vector a token.
/// The sum of one (row, token) pair is formed in the same order whatever the other rows and tokens are,
/// so results do not depend on batching, grouping by expert or threads; with quantised weights it is that of
/// the same weights widened to float32.
struct MatmulJob {
  const void* weights = nullptr;
  Storage storage = Storage::F32;
  std::int64_t columns = 0;
  std::int64_t firstRow = 0;
  std::int64_t endRow = 0;
  const float* const* inputs = nullptr;  ///< [tokens] pointers to [columns]
  float* const* outputs = nullptr;       ///< [tokens] pointers to [rows]
  const float* gains = nullptr;          ///< null: output = sum; else [tokens]: output += gain * sum
  int tokens = 0;
  bool streams = false;  ///< the weights come from memory, not from a cache; changes no bits
};

/// One instruction set. All sizes are in elements.
struct Kernels {
  const char* name;
  void (*matmul)(const MatmulJob& job);
  /// The first `count` elements, whole blocks, as float32; exact.
  void (*widen)(const void* weights, Storage storage, std::int64_t count, float* out);
  /// y = w * (x / sqrt(mean(x^2) + eps)); x and y may be the same.
  void (*rmsNorm)(const float* x, const float* w, float eps, std::int64_t count, float* y);
  /// gate = silu(gate) * up.
  void (*siluTimes)(float* gate, const float* up, std::int64_t count);
  /// y += x.
  void (*add)(float* y, const float* x, std::int64_t count);
  /// out[j] = scale * q . key j; keys in tiles [keys / kKeyTile, headDim, kKeyTile].
  void (*scores)(const float* q, const float* keyTiles, int headDim, std::int64_t keys, float scale,
                 float* out);
  /// In place; the tail of the last tile is overwritten.
  void (*softmax)(float* values, std::int64_t count);
  /// out = sum over j of p[j] * values[j], values [keys, headDim].
  void (*mixValues)(const float* p, const float* values, int headDim, std::int64_t keys, float* out);
};

/// Those that this processor can run, fastest first; the last is plain C++.
std::vector<const Kernels*> availableKernels();

/// The fastest of them.
const Kernels& bestKernels();

}  // namespace moescope::engine
