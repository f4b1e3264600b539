#include "core/engine/torch/weight_storage.h"

#include <cctype>
#include <cstring>

#include "core/base/half.h"
#include "core/checkpoint/block_formats.h"
#include "core/checkpoint/float_values.h"

namespace moescope::engine {

using checkpoint::DType;
using checkpoint::TensorView;

namespace {

DType dtypeOf(Storage storage) {
  switch (storage) {
    case Storage::F32: return DType::F32;
    case Storage::BF16: return DType::BF16;
    case Storage::F16: return DType::F16;
    case Storage::Q8_0: return DType::Q8_0;
    case Storage::Q4_0: return DType::Q4_0;
  }
  return DType::F32;
}

}  // namespace

std::string_view name(Storage storage) {
  switch (storage) {
    case Storage::F32: return "f32";
    case Storage::BF16: return "bf16";
    case Storage::F16: return "f16";
    case Storage::Q8_0: return "q8_0";
    case Storage::Q4_0: return "q4_0";
  }
  return "f32";
}

Dtype dtypeFor(const TensorView& view, bool mayRound, Dtype chosen) {
  if (!roundsWeights(chosen)) return chosen;
  return mayRound && !view.shape.empty() && view.shape.back() % kBlockElements == 0 ? chosen : Dtype::Auto;
}

Result<Storage> storageFor(const TensorView& view, Dtype dtype) {
  const bool readable = view.dtype == DType::F32 || view.dtype == DType::BF16 || view.dtype == DType::F16 ||
                        view.dtype == DType::F64 || view.isQuantised();
  if (!readable) {
    return fail("engine.unsupported", "", view.name,
                "weights stored as " + std::string(checkpoint::name(view.dtype)) + " cannot be run",
                "convert the checkpoint to BF16");
  }
  switch (dtype) {
    case Dtype::F32: return Storage::F32;
    case Dtype::BF16: return Storage::BF16;
    case Dtype::F16: return Storage::F16;
    case Dtype::Q8_0: return Storage::Q8_0;
    case Dtype::Q4_0: return Storage::Q4_0;
    case Dtype::Auto: break;
  }
  if (view.dtype == DType::BF16 || view.isQuantised()) return Storage::BF16;
  if (view.dtype == DType::F16) return Storage::F16;
  return Storage::F32;
}

bool staysQuantised(const TensorView& view, Dtype dtype) {
  return view.isQuantised() && dtype == Dtype::Auto;
}

std::int64_t quantisedBytes(const TensorView& view) {
  if (checkpoint::hasBlocks(view.dtype)) {
    const checkpoint::BlockSize block = checkpoint::blockSize(view.dtype);
    return view.elementCount() / block.elements * block.bytes;
  }
  const checkpoint::BlockScales& scales = *view.scales;
  const std::int64_t elements = view.elementCount();
  const std::int64_t blocks = (view.shape[0] + scales.blockRows - 1) / scales.blockRows *
                              ((view.shape[1] + scales.blockColumns - 1) / scales.blockColumns);
  return (view.dtype == DType::Mxfp4 ? elements / 2 : elements) +
         blocks * static_cast<std::int64_t>(checkpoint::bytesPerElement(scales.dtype));
}

std::string storedName(const TensorView& view) {
  std::string word;
  for (const char c : checkpoint::name(view.dtype))
    word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return word;
}

std::string joined(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& each : names) text += (text.empty() ? "" : " and ") + each;
  return text;
}

bool usableInPlace(const TensorView& view, Storage storage) {
  const std::size_t alignment = storage == Storage::F32 ? 4 : 2;
  return view.dtype == dtypeOf(storage) && view.strides.empty() &&
         reinterpret_cast<std::uintptr_t>(view.bytes.data()) % alignment == 0;
}

void convert(const TensorView& view, Storage storage, std::byte* out) {
  if (view.dtype == dtypeOf(storage) && view.strides.empty()) {
    std::memcpy(out, view.bytes.data(), view.bytes.size());
    return;
  }
  if (view.elementCount() == 0) return;
  const auto columns = static_cast<std::size_t>(view.shape.back());
  const auto rowBytes = static_cast<std::size_t>(bytesOf(storage, view.shape.back()));
  std::vector<float> row(columns);
  for (std::int64_t r = 0; r < view.elementCount() / view.shape.back(); ++r) {
    checkpoint::readRow(view, r, row);
    std::byte* to = out + static_cast<std::size_t>(r) * rowBytes;
    if (storage == Storage::F32) {
      std::memcpy(to, row.data(), rowBytes);
      continue;
    }
    if (storage == Storage::Q8_0 || storage == Storage::Q4_0) {
      checkpoint::writeBlocks(dtypeOf(storage), row, std::span(to, rowBytes));
      continue;
    }
    for (std::size_t c = 0; c < columns; ++c) {
      const std::uint16_t bits = storage == Storage::BF16 ? floatToBfloat16(row[c]) : floatToHalf(row[c]);
      std::memcpy(to + c * sizeof bits, &bits, sizeof bits);
    }
  }
}

void forEachMatrix(const checkpoint::ModelWeights& weights,
                   const std::function<void(const TensorView&, bool mayRound)>& visit) {
  struct Nothing {};
  const auto vector = [](const TensorView&, Nothing&) {};
  checkpoint::LayerRoles<Nothing, Nothing> nowhere;
  visit(weights.embedding, true);
  for (const auto& layer : weights.layers) {
    const auto matrix = [&](const TensorView& view, Nothing&) {
      if (view.exists()) visit(view, &view != &layer.moe.router);
    };
    forEachRole(layer, nowhere, matrix, vector);
  }
  for (const auto& [name, parts] : weights.ownMatrices) {
    for (const TensorView& part : parts) visit(part, false);
  }
  if (weights.head.bytes.data() != weights.embedding.bytes.data()) visit(weights.head, true);
}

}  // namespace moescope::engine
