// CpuWeights: a checkpoint's tensors as the CPU kernels take them, in place where the file allows.
// Not for other devices.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "core/base/progress.h"
#include "core/checkpoint/checkpoint.h"
#include "core/engine/api/engine.h"
#include "core/engine/torch/float_buffer.h"
#include "core/engine/torch/rounded_file.h"
#include "core/engine/torch/weight_storage.h"

namespace moescope::engine {

/// [rows, columns], row-major; borrows from the mapped file or from CpuWeights.
struct CpuMatrix {
  const void* data = nullptr;
  Storage storage = Storage::F32;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  /// Quantised in the file and in memory in a format that the kernels do not know: rows are widened whenever
  /// they are multiplied. Null otherwise.
  const checkpoint::TensorView* quantised = nullptr;

  [[nodiscard]] bool exists() const { return rows > 0; }
};

/// `job`, whose weights, storage and columns are the matrix's, whatever its storage.
void matmul(const Kernels& kernels, const CpuMatrix& matrix, MatmulJob job);
/// One row in float32, `out` [columns].
void widenRow(const Kernels& kernels, const CpuMatrix& matrix, std::int64_t row, float* out);

/// Vectors are float32; an absent one is empty.
using CpuVector = std::vector<float>;
using CpuExpert = checkpoint::ExpertRoles<CpuMatrix, CpuVector>;
using CpuLayer = checkpoint::LayerRoles<CpuMatrix, CpuVector>;

struct CpuWeights : checkpoint::ModelRoles<CpuMatrix, CpuVector> {
  FloatBuffer converted;               ///< matrices that could not be used in place
  std::optional<RoundedFile> rounded;  ///< holds them instead, where they were kept on disk
  std::int64_t bytes = 0;              ///< of all matrices, mapped or converted
  std::int64_t mapped = 0;             ///< of these, in place in the file
  std::string storageName;             ///< "bf16", or "bf16 and f32" where a model mixes them

  /// Bytes of all matrices. Mapped ones count as well: a model that does not stay in memory would be read
  /// from disk for every token. Errors: `engine.unsupported`.
  static Result<std::int64_t> bytesAs(const checkpoint::Checkpoint& checkpoint, Dtype dtype);
  /// Whether they fit is asked before (CpuModel). Rounded weights that cannot be kept on disk are a line in
  /// the log. Errors: `engine.unsupported`, `machine.out_of_memory`, `cancelled`.
  static Result<CpuWeights> load(const checkpoint::Checkpoint& checkpoint, const LoadOptions& options,
                                 const ProgressCallback& progress, const std::stop_token& stop);
};

}  // namespace moescope::engine
