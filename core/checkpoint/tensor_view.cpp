#include "core/checkpoint/tensor_view.h"

#include <functional>
#include <numeric>

namespace moescope::checkpoint {

std::string_view name(DType dtype) {
  switch (dtype) {
    case DType::F32: return "F32";
    case DType::F16: return "F16";
    case DType::BF16: return "BF16";
    case DType::F64: return "F64";
    case DType::I64: return "I64";
    case DType::I32: return "I32";
    case DType::I16: return "I16";
    case DType::I8: return "I8";
    case DType::U8: return "U8";
    case DType::Bool: return "BOOL";
    case DType::F8E4M3: return "F8_E4M3";
    case DType::Mxfp4:
    case DType::BlockMxfp4: return "MXFP4";
    case DType::Q4_0: return "Q4_0";
    case DType::Q5_0: return "Q5_0";
    case DType::Q8_0: return "Q8_0";
    case DType::Q4_K: return "Q4_K";
    case DType::Q5_K: return "Q5_K";
    case DType::Q6_K: return "Q6_K";
  }
  return "unknown";
}

std::size_t bytesPerElement(DType dtype) {
  switch (dtype) {
    case DType::F64:
    case DType::I64: return 8;
    case DType::F32:
    case DType::I32: return 4;
    case DType::F16:
    case DType::BF16:
    case DType::I16: return 2;
    default: return 1;
  }
}

BlockSize blockSize(DType dtype) {
  switch (dtype) {
    case DType::Q4_0: return {32, 18};
    case DType::Q5_0: return {32, 22};
    case DType::Q8_0: return {32, 34};
    case DType::BlockMxfp4: return {32, 17};
    case DType::Q4_K: return {256, 144};
    case DType::Q5_K: return {256, 176};
    case DType::Q6_K: return {256, 210};
    default: return {1, static_cast<std::int64_t>(bytesPerElement(dtype))};
  }
}

std::int64_t TensorView::elementCount() const {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

namespace {

std::vector<std::int64_t> stridesOf(const TensorView& tensor) {
  if (!tensor.strides.empty()) return tensor.strides;
  std::vector<std::int64_t> strides(tensor.shape.size(), 1);
  for (std::size_t axis = strides.size(); axis > 1; --axis)
    strides[axis - 2] = strides[axis - 1] * tensor.shape[axis - 1];
  return strides;
}

/// A view of other extents into the bytes of `tensor`, from element `first`.
TensorView view(const TensorView& tensor, std::int64_t first, std::vector<std::int64_t> shape,
                std::vector<std::int64_t> strides) {
  TensorView result;
  result.name = tensor.name;
  result.dtype = tensor.dtype;
  result.shape = std::move(shape);
  std::int64_t elements = 1;  // from the first to the last
  for (std::size_t axis = 0; axis < strides.size(); ++axis)
    elements += (result.shape[axis] - 1) * strides[axis];
  const BlockSize block = blockSize(tensor.dtype);
  const auto bytesOf = [&block](std::int64_t count) {
    return static_cast<std::size_t>(count / block.elements * block.bytes);
  };
  result.bytes = tensor.bytes.subspan(bytesOf(first), result.elementCount() == 0 ? 0 : bytesOf(elements));
  if (strides != stridesOf(result)) result.strides = std::move(strides);
  return result;
}

}  // namespace

TensorView part(const TensorView& tensor, std::int64_t index) {
  std::vector<std::int64_t> shape = tensor.shape;
  std::vector<std::int64_t> strides = stridesOf(tensor);
  const std::int64_t first = index * strides.front();
  shape.erase(shape.begin());
  strides.erase(strides.begin());
  return view(tensor, first, std::move(shape), std::move(strides));
}

TensorView slice(const TensorView& tensor, std::size_t axis, std::int64_t first, std::int64_t count,
                 std::int64_t step) {
  std::vector<std::int64_t> shape = tensor.shape;
  std::vector<std::int64_t> strides = stridesOf(tensor);
  const std::int64_t offset = first * strides[axis];
  shape[axis] = count;
  strides[axis] *= step;
  return view(tensor, offset, std::move(shape), std::move(strides));
}

TensorView transposed(const TensorView& matrix) {
  const std::vector<std::int64_t> strides = stridesOf(matrix);
  return view(matrix, 0, {matrix.shape[1], matrix.shape[0]}, {strides[1], strides[0]});
}

}  // namespace moescope::checkpoint
