// TorchWeights: a checkpoint's tensors on a device of LibTorch, in one dtype but for what stays quantised.
// Not for the own CPU kernels (cpu_weights.h).
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/base/progress.h"
#include "core/checkpoint/checkpoint.h"
#include "core/engine/api/engine.h"
#include "core/engine/torch/torch_matrix.h"
#include "core/engine/torch/weight_storage.h"

namespace moescope::engine {

/// Absent tensors are undefined.
using TorchExpert = checkpoint::ExpertRoles<TorchMatrix, at::Tensor>;
using TorchLayer = checkpoint::LayerRoles<TorchMatrix, at::Tensor>;

struct TorchWeights : checkpoint::ModelRoles<TorchMatrix, at::Tensor> {
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;  ///< of weights and activations
  std::int64_t bytes = 0;             ///< of all matrices
  std::string quantisedNames;         ///< "mxfp4"; empty if nothing stays quantised

  /// The dtype that the user's choice gives; `auto` is the stored one of the embedding. Errors:
  /// `engine.unsupported`.
  static Result<Storage> storageOf(const checkpoint::Checkpoint& checkpoint, Dtype dtype);
  /// Bytes that load() will need on the device. With Dtype::Auto what TorchMatrix can hold stays quantised.
  static std::int64_t bytesAs(const checkpoint::Checkpoint& checkpoint, Dtype dtype, Storage storage);

  /// Errors: `engine.unsupported`, `cancelled`; LibTorch's exceptions pass through.
  static Result<TorchWeights> load(const checkpoint::Checkpoint& checkpoint, Dtype dtype, Storage storage,
                                   at::Device device, const ProgressCallback& progress,
                                   const std::stop_token& stop);
};

}  // namespace moescope::engine
