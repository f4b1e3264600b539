#include "core/engine/torch/kernels/kernels.h"

#include "core/engine/torch/kernels/kernel_variants.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace moescope::engine {

#if defined(__x86_64__)
namespace {

// Not every compiler knows __builtin_cpu_supports("f16c").
bool hasHalfConversion() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}

}  // namespace
#endif

std::vector<const Kernels*> availableKernels() {
  std::vector<const Kernels*> found;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    found.push_back(&avx512Kernels());
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && hasHalfConversion()) {
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
