#include "core/trace/row_kernels.h"

#include <vector>

namespace moescope::trace {

const RowKernels& plainRowKernels();
#ifdef MOESCOPE_X86_KERNELS
const RowKernels& avx2RowKernels();
const RowKernels& avx512RowKernels();
#endif

std::span<const RowKernels* const> allRowKernels() {
  static const std::vector<const RowKernels*> usable = [] {
    std::vector<const RowKernels*> found{&plainRowKernels()};
#ifdef MOESCOPE_X86_KERNELS
    if (__builtin_cpu_supports("avx2")) found.push_back(&avx2RowKernels());
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
      found.push_back(&avx512RowKernels());
#endif
    return found;
  }();
  return usable;
}

const RowKernels& rowKernels() {
  static const RowKernels& best = *allRowKernels().back();
  return best;
}

}  // namespace moescope::trace
