#include "core/engine/torch/weight_storage.h"

#include <cstring>

#include "core/base/half.h"

namespace moescope::engine {

using checkpoint::DType;
using checkpoint::TensorView;

namespace {

template <class Bits>
Bits read(const std::byte* bytes, std::size_t index) {
  Bits bits;
  std::memcpy(&bits, bytes + index * sizeof(Bits), sizeof(Bits));
  return bits;
}

float element(const TensorView& view, std::size_t index) {
  const std::byte* bytes = view.bytes.data();
  switch (view.dtype) {
    case DType::F32: return read<float>(bytes, index);
    case DType::BF16: return bfloat16ToFloat(read<std::uint16_t>(bytes, index));
    case DType::F16: return halfToFloat(read<std::uint16_t>(bytes, index));
    case DType::F64: return static_cast<float>(read<double>(bytes, index));
    default: return 0.0F;  // storageFor has refused the others
  }
}

DType dtypeOf(Storage storage) {
  switch (storage) {
    case Storage::F32: return DType::F32;
    case Storage::BF16: return DType::BF16;
    case Storage::F16: return DType::F16;
  }
  return DType::F32;
}

}  // namespace

std::size_t bytesPerElement(Storage storage) { return storage == Storage::F32 ? 4 : 2; }

std::string_view name(Storage storage) {
  switch (storage) {
    case Storage::F32: return "f32";
    case Storage::BF16: return "bf16";
    case Storage::F16: return "f16";
  }
  return "f32";
}

Result<Storage> storageFor(const TensorView& view, Dtype dtype) {
  const bool readable = view.dtype == DType::F32 || view.dtype == DType::BF16 || view.dtype == DType::F16 ||
                        view.dtype == DType::F64;
  if (!readable) {
    return fail("engine.unsupported", "", view.name,
                "weights stored as " + std::string(checkpoint::name(view.dtype)) + " cannot be run",
                "convert the checkpoint to BF16");
  }
  switch (dtype) {
    case Dtype::F32: return Storage::F32;
    case Dtype::BF16: return Storage::BF16;
    case Dtype::F16: return Storage::F16;
    case Dtype::Auto: break;
  }
  if (view.dtype == DType::BF16) return Storage::BF16;
  if (view.dtype == DType::F16) return Storage::F16;
  return Storage::F32;
}

bool usableInPlace(const TensorView& view, Storage storage) {
  return view.dtype == dtypeOf(storage) &&
         reinterpret_cast<std::uintptr_t>(view.bytes.data()) % bytesPerElement(storage) == 0;
}

void convert(const TensorView& view, Storage storage, std::byte* out) {
  if (view.dtype == dtypeOf(storage)) {
    std::memcpy(out, view.bytes.data(), view.bytes.size());
    return;
  }
  const auto count = static_cast<std::size_t>(view.elementCount());
  for (std::size_t i = 0; i < count; ++i) {
    const float value = element(view, i);
    if (storage == Storage::F32) {
      std::memcpy(out + i * sizeof value, &value, sizeof value);
    } else {
      const std::uint16_t bits = storage == Storage::BF16 ? floatToBfloat16(value) : floatToHalf(value);
      std::memcpy(out + i * sizeof bits, &bits, sizeof bits);
    }
  }
}

std::vector<float> widened(const TensorView& view) {
  if (!view.exists()) return {};
  std::vector<float> values(static_cast<std::size_t>(view.elementCount()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = element(view, i);
  return values;
}

void forEachMatrix(const checkpoint::ModelWeights& weights,
                   const std::function<void(const TensorView&)>& visit) {
  visit(weights.embedding);
  for (const auto& layer : weights.layers) {
    for (const TensorView* view :
         {&layer.query, &layer.key, &layer.value, &layer.output, &layer.moe.router}) {
      visit(*view);
    }
    for (const auto& expert : layer.moe.experts) {
      for (const TensorView* view : {&expert.gate, &expert.up, &expert.down}) visit(*view);
    }
  }
  if (weights.head.bytes.data() != weights.embedding.bytes.data()) visit(weights.head);
}

Result<void> requireSupported(const checkpoint::Checkpoint& checkpoint) {
  const auto& description = checkpoint.description();
  const auto unsupported = [&](const std::string& what) {
    return fail("engine.unsupported", checkpoint.folder().string(), description.family,
                what + " cannot be run by this version");
  };
  if (static_cast<int>(description.routers.size()) != description.layers) {
    return unsupported("a model with layers that have no experts");
  }
  for (int layer = 0; layer < description.layers; ++layer) {
    if (description.routers[static_cast<std::size_t>(layer)].layer.value != layer) {
      return unsupported("a model with several routers a layer");
    }
  }
  return {};
}

}  // namespace moescope::engine
