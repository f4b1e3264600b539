#include "core/trace/row_kernels.h"

namespace moescope::trace {

namespace {
constexpr const char* kName = "avx2";
}  // namespace

#include "core/trace/row_kernels.inc"

const RowKernels& avx2RowKernels() { return kKernels; }

}  // namespace moescope::trace
