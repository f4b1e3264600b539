// RowKernels: the inner loops over one row of router logits, compiled for several instruction sets.
// Not for what the numbers mean (router_statistics.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace moescope::trace {

/// All kernels give the same bits on every machine: fixed lanes, no fused operations.
struct RowKernels {
  struct Sums {
    double sum = 0.0;     ///< of exp(z - top)
    double moment = 0.0;  ///< of exp(z - top) * (z - top)
    float top = 0.0F;     ///< largest logit
  };

  const char* name;
  /// Fills `scores` [count] with exp(z - top), relative error about 2e-7; not finite sums where a logit is
  /// not.
  Sums (*exponentials)(const float* logits, float* scores, std::size_t count);
  /// values *= factor.
  void (*scale)(float* values, float factor, std::size_t count);
  /// sums += values.
  void (*accumulate)(const float* values, double* sums, std::size_t count);
  /// binary16, rounded to nearest even, as floatToHalf (core/base/half.h).
  void (*toHalf)(const float* values, std::uint16_t* halves, std::size_t count);
  /// The float32 value that toHalf keeps.
  void (*roundToHalf)(const float* values, float* rounded, std::size_t count);
};

/// The fastest that this processor can run.
const RowKernels& rowKernels();
/// Every one that it can run, the slowest first.
std::span<const RowKernels* const> allRowKernels();

}  // namespace moescope::trace
