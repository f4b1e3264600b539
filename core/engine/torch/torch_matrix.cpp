#include "core/engine/torch/torch_matrix.h"

#include <array>
#include <cmath>
#include <cstring>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bitwise_and.h>
#include <ATen/ops/bitwise_left_shift.h>
#include <ATen/ops/bitwise_or.h>
#include <ATen/ops/bitwise_right_shift.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>

namespace moescope::engine {

using checkpoint::DType;
using checkpoint::TensorView;

namespace {

/// E2M1 of the OCP microscaling formats.
constexpr std::array<float, 16> kFloat4{0.0F,  0.5F,  1.0F,  1.5F,  2.0F,  3.0F,  4.0F,  6.0F,
                                        -0.0F, -0.5F, -1.0F, -1.5F, -2.0F, -3.0F, -4.0F, -6.0F};

bool isMicroscaled(DType dtype) { return dtype == DType::Mxfp4 || dtype == DType::BlockMxfp4; }

std::int64_t rowBytes(const TensorView& view) {
  const std::int64_t columns = view.shape[1];
  if (view.dtype == DType::Mxfp4) return columns / 2;
  const checkpoint::BlockSize block = checkpoint::blockSize(view.dtype);
  return columns / block.elements * block.bytes;
}

at::Tensor hostBytes(std::int64_t rows, std::int64_t columns) {
  return at::empty({rows, columns}, at::TensorOptions().dtype(at::kByte));
}

at::Tensor rowsOf(const TensorView& view) {
  const std::int64_t own = rowBytes(view);
  // Rows may lie apart: an interleaved gate.
  const std::int64_t step = view.strides.empty() ? own : own * view.strides.front() / view.shape[1];
  at::Tensor host = hostBytes(view.shape[0], own);
  auto* to = static_cast<std::byte*>(host.mutable_data_ptr());
  for (std::int64_t row = 0; row < view.shape[0]; ++row)
    std::memcpy(to + row * own, view.bytes.data() + row * step, static_cast<std::size_t>(own));
  return host;
}

std::int64_t blocks(std::int64_t count, std::int64_t block) { return (count + block - 1) / block; }

at::Tensor scalesOf(const TensorView& view) {
  const checkpoint::BlockScales& scales = *view.scales;
  const auto size = static_cast<std::int64_t>(checkpoint::bytesPerElement(scales.dtype));
  const std::int64_t rows = blocks(view.shape[0], scales.blockRows);
  const std::int64_t columns = blocks(view.shape[1], scales.blockColumns);
  at::Tensor host = hostBytes(rows, columns * size);
  auto* to = static_cast<std::byte*>(host.mutable_data_ptr());
  for (std::int64_t row = 0; row < rows; ++row)
    std::memcpy(to + row * columns * size, scales.bytes.data() + row * scales.rowStride * size,
                static_cast<std::size_t>(columns * size));
  return scales.dtype == DType::U8 ? host : host.view(at::kFloat);
}

at::Tensor lowHalves(const at::Tensor& bytes) { return at::bitwise_and(bytes, 15); }
at::Tensor highHalves(const at::Tensor& bytes) { return at::bitwise_right_shift(bytes, 4); }

/// [..., 32] numbers of 4 bits in [..., 16] bytes, all low halves first.
at::Tensor nibbles(const at::Tensor& bytes) { return at::cat({lowHalves(bytes), highHalves(bytes)}, -1); }

/// [rows, blocks, 1] of two bytes of each block of GGUF.
at::Tensor halfAt(const at::Tensor& blocks, std::int64_t first) {
  return blocks.narrow(-1, first, 2).contiguous().view(at::kHalf).to(at::kFloat);
}

at::Tensor pick(const at::Tensor& table, const at::Tensor& indices) {
  return table.index_select(0, indices.reshape(-1).to(at::kInt)).view(indices.sizes());
}

/// The fifth bits of 32 numbers in 4 bytes, as 0 or 16.
at::Tensor fifthBits(const at::Tensor& bytes) {
  const at::Tensor shifts = at::arange(8, bytes.options());
  const at::Tensor bits = at::bitwise_and(at::bitwise_right_shift(bytes.unsqueeze(-1), shifts), 1);
  return at::bitwise_left_shift(bits.flatten(-2), 4);
}

/// Factors and minima of the eight sub-blocks, each [rows, blocks, 8]: block_formats.cpp has the layout.
std::pair<at::Tensor, at::Tensor> subScales(const at::Tensor& blocks, std::int64_t first) {
  const at::Tensor low = blocks.narrow(-1, first, 4);
  const at::Tensor middle = blocks.narrow(-1, first + 4, 4);
  const at::Tensor rest = blocks.narrow(-1, first + 8, 4);
  const auto wide = [](const at::Tensor& lower, const at::Tensor& holder) {
    return at::bitwise_or(lower, at::bitwise_left_shift(at::bitwise_right_shift(holder, 6), 4));
  };
  return {at::cat({at::bitwise_and(low, 63), wide(lowHalves(rest), low)}, -1),
          at::cat({at::bitwise_and(middle, 63), wide(highHalves(rest), middle)}, -1)};
}

/// Q4_K, and Q5_K where fifth bits stand at `highBits`: float32 [rows, blocks, 8, 32].
at::Tensor superBlocks(const at::Tensor& blocks, std::int64_t nibblesAt, std::int64_t highBits) {
  const at::Tensor bytes = blocks.narrow(-1, nibblesAt, 128).unflatten(-1, {4, 32});
  at::Tensor numbers = at::stack({lowHalves(bytes), highHalves(bytes)}, -2).flatten(-3, -2);
  if (highBits != 0) {
    const at::Tensor shifts = at::arange(8, blocks.options()).unsqueeze(-1);
    const at::Tensor bits = at::bitwise_right_shift(blocks.narrow(-1, highBits, 32).unsqueeze(-2), shifts);
    numbers = at::bitwise_or(numbers, at::bitwise_left_shift(at::bitwise_and(bits, 1), 4));
  }
  const auto [scales, minima] = subScales(blocks, 4);
  const at::Tensor factors = halfAt(blocks, 0) * scales.to(at::kFloat);
  const at::Tensor offsets = halfAt(blocks, 2) * minima.to(at::kFloat);
  return factors.unsqueeze(-1) * numbers.to(at::kFloat) - offsets.unsqueeze(-1);
}

/// Q6_K: float32 [rows, blocks, 16, 16].
at::Tensor sixBits(const at::Tensor& blocks) {
  const at::Tensor bytes = blocks.narrow(-1, 0, 128).unflatten(-1, {2, 2, 32});  // half, group, number
  const at::Tensor low = at::stack({lowHalves(bytes), highHalves(bytes)}, -3).flatten(-3, -2);
  const at::Tensor shifts = at::arange(0, 8, 2, blocks.options()).unsqueeze(-1);
  const at::Tensor tops = blocks.narrow(-1, 128, 64).unflatten(-1, {2, 1, 32});
  const at::Tensor high = at::bitwise_and(at::bitwise_right_shift(tops, shifts), 3);
  const at::Tensor numbers = at::bitwise_or(low, at::bitwise_left_shift(high, 4)).to(at::kFloat) - 32;
  const at::Tensor scales = blocks.narrow(-1, 192, 16).view(at::kChar).to(at::kFloat);
  const at::Tensor factors = halfAt(blocks, 208) * scales;
  return numbers.flatten(-3, -1).unflatten(-1, {16, 16}) * factors.unsqueeze(-1);
}

}  // namespace

bool TorchMatrix::canHold(const TensorView& view) {
  switch (view.dtype) {
    case DType::F8E4M3:
    case DType::Mxfp4: return view.scales != nullptr;
    case DType::Q4_0:
    case DType::Q5_0:
    case DType::Q8_0:
    case DType::Q4_K:
    case DType::Q5_K:
    case DType::Q6_K:
    case DType::BlockMxfp4: return true;
    default: return false;
  }
}

TorchMatrix TorchMatrix::quantised(const TensorView& view, at::Device device) {
  TorchMatrix matrix;
  matrix.m_dtype = view.dtype;
  matrix.m_columns = view.shape[1];
  matrix.m_bytes = rowsOf(view).to(device);
  if (view.scales != nullptr) {
    matrix.m_scales = scalesOf(view).to(device);
    matrix.m_blockRows = view.scales->blockRows;
    matrix.m_blockColumns = view.scales->blockColumns;
  }
  if (isMicroscaled(view.dtype)) {
    const auto table = [device](std::size_t size, const auto& at) {
      at::Tensor host = at::empty({static_cast<std::int64_t>(size)}, at::TensorOptions().dtype(at::kFloat));
      auto* to = static_cast<float*>(host.mutable_data_ptr());
      for (std::size_t i = 0; i < size; ++i) to[i] = at(i);
      return host.to(device);
    };
    // In GGUF twice the values and half the factor: 2^128 is no float.
    const bool isDoubled = view.dtype == DType::BlockMxfp4;
    matrix.m_values = table(16, [&](std::size_t i) { return isDoubled ? 2.0F * kFloat4[i] : kFloat4[i]; });
    matrix.m_powers = table(
        256, [&](std::size_t i) { return std::ldexp(1.0F, static_cast<int>(i) - (isDoubled ? 128 : 127)); });
  }
  return matrix;
}

std::int64_t TorchMatrix::bytes() const {
  std::int64_t sum = 0;
  for (const at::Tensor* part : {&m_plain, &m_bytes, &m_scales}) {
    if (part->defined()) sum += static_cast<std::int64_t>(part->nbytes());
  }
  return sum;
}

/// Of rows as m_bytes holds them: all for FP8, whose blocks span rows.
at::Tensor TorchMatrix::floats(const at::Tensor& bytes) const {
  const std::int64_t rows = bytes.size(0);
  if (m_dtype == DType::F8E4M3) {
    const at::Tensor factors = m_scales.repeat_interleave(m_blockRows, 0)
                                   .narrow(0, 0, rows)
                                   .repeat_interleave(m_blockColumns, 1)
                                   .narrow(1, 0, m_columns);
    return bytes.view(at::kFloat8_e4m3fn).to(at::kFloat) * factors;
  }
  if (m_dtype == DType::Mxfp4) {
    const at::Tensor numbers = at::stack({lowHalves(bytes), highHalves(bytes)}, -1);
    const at::Tensor values = pick(m_values, numbers).view({rows, -1, m_blockColumns});
    return (values * pick(m_powers, m_scales).unsqueeze(-1)).view({rows, m_columns});
  }
  const checkpoint::BlockSize size = checkpoint::blockSize(m_dtype);
  const at::Tensor block = bytes.view({rows, -1, size.bytes});
  const auto scaled = [&](const at::Tensor& numbers, int offset) {
    return ((numbers.to(at::kFloat) - offset) * halfAt(block, 0)).view({rows, m_columns});
  };
  switch (m_dtype) {
    case DType::Q4_0: return scaled(nibbles(block.narrow(-1, 2, 16)), 8);
    case DType::Q5_0:
      return scaled(at::bitwise_or(nibbles(block.narrow(-1, 6, 16)), fifthBits(block.narrow(-1, 2, 4))), 16);
    case DType::Q8_0: return scaled(block.narrow(-1, 2, 32).view(at::kChar), 0);
    case DType::Q4_K: return superBlocks(block, 16, 0).view({rows, m_columns});
    case DType::Q5_K: return superBlocks(block, 48, 16).view({rows, m_columns});
    case DType::Q6_K: return sixBits(block).view({rows, m_columns});
    default: break;  // BlockMxfp4
  }
  const at::Tensor values = pick(m_values, nibbles(block.narrow(-1, 1, 16)));
  return (values * pick(m_powers, block.narrow(-1, 0, 1))).view({rows, m_columns});
}

at::Tensor TorchMatrix::wide(at::ScalarType dtype) const {
  return (m_plain.defined() ? m_plain : floats(m_bytes)).to(dtype);
}

at::Tensor TorchMatrix::rows(const at::Tensor& ids, at::ScalarType dtype) const {
  if (m_plain.defined()) return at::embedding(m_plain, ids).to(dtype);
  if (m_scales.defined()) return wide(dtype).index_select(0, ids);
  return floats(m_bytes.index_select(0, ids)).to(dtype);
}

}  // namespace moescope::engine
