#include "core/trace/row_kernels.h"

namespace moescope::trace {

namespace {
constexpr const char* kName = "avx512";
}  // namespace

#include "core/trace/row_kernels.inc"

const RowKernels& avx512RowKernels() { return kKernels; }

}  // namespace moescope::trace
