// TorchMatrix: a weight matrix on a device of LibTorch, plain or as the file quantises it.
// Not for vectors, and not for the own CPU kernels (CpuMatrix).
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "core/checkpoint/tensor_view.h"

namespace moescope::engine {

/// Quantised bytes stay on the device and are widened by LibTorch's operations whenever the matrix is used,
/// so that a model needs the memory of its file and that of one widened matrix. Absent: not defined().
class TorchMatrix {
 public:
  TorchMatrix() = default;
  explicit TorchMatrix(at::Tensor plain) : m_plain(std::move(plain)) {}
  /// The view's bytes, row after row, with their scales. Only for what canHold(); LibTorch's exceptions pass.
  static TorchMatrix quantised(const checkpoint::TensorView& view, at::Device device);
  /// FP8 blocks, MXFP4, and the block formats of GGUF.
  static bool canHold(const checkpoint::TensorView& view);

  [[nodiscard]] bool defined() const { return m_plain.defined() || m_bytes.defined(); }
  /// On the device.
  [[nodiscard]] std::int64_t bytes() const;
  /// [rows, columns]: every value in float32 as core/checkpoint reads it, rounded to `dtype`.
  [[nodiscard]] at::Tensor wide(at::ScalarType dtype) const;
  /// [ids, columns]: rows of an embedding.
  [[nodiscard]] at::Tensor rows(const at::Tensor& ids, at::ScalarType dtype) const;

 private:
  [[nodiscard]] at::Tensor floats(const at::Tensor& bytes) const;

  at::Tensor m_plain;
  at::Tensor m_bytes;   ///< uint8 [rows, bytes of a row]
  at::Tensor m_scales;  ///< [rows of blocks, blocks of a row]: float32, or uint8 exponents; of FP8 and MXFP4
  at::Tensor m_values, m_powers;  ///< float32 [16] and [256]; of both kinds of MXFP4
  checkpoint::DType m_dtype = checkpoint::DType::F32;
  std::int64_t m_columns = 0, m_blockRows = 1, m_blockColumns = 1;
};

}  // namespace moescope::engine
