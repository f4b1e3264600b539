#include "core/engine/torch/kernels/kernels.h"

#include "core/engine/torch/kernels/kernel_variants.h"

namespace moescope::engine {

std::vector<const Kernels*> availableKernels() {
  std::vector<const Kernels*> found;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    found.push_back(&avx512Kernels());
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c")) {
    found.push_back(&avx2Kernels());
  }
#endif
  found.push_back(&plainKernels());
  return found;
}

const Kernels& bestKernels() {
  static const Kernels& best = *availableKernels().front();
  return best;
}

}  // namespace moescope::engine
