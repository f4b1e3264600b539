#include "core/trace/row_kernels.h"

namespace moescope::trace {

namespace {
constexpr const char* kName = "plain";
}  // namespace

#include "core/trace/row_kernels.inc"

const RowKernels& plainRowKernels() { return kKernels; }

}  // namespace moescope::trace
