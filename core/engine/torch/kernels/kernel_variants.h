// The tables that the variant files define. Not for users: they go through availableKernels().
#pragma once

#include "core/engine/torch/kernels/kernels.h"

namespace moescope::engine {

const Kernels& avx512Kernels();
const Kernels& avx2Kernels();
const Kernels& plainKernels();

}  // namespace moescope::engine
