#include "core/engine/torch/torch_weights.h"

#include <ATen/ops/empty.h>

namespace moescope::engine {

using checkpoint::TensorView;

namespace {

at::ScalarType scalarType(Storage storage) {
  switch (storage) {
    case Storage::F32: return at::kFloat;
    case Storage::BF16: return at::kBFloat16;
    case Storage::F16: return at::kHalf;
    case Storage::Q8_0:
    case Storage::Q4_0: break;  // TorchMatrix
  }
  return at::kFloat;
}

bool staysSo(const TensorView& view, Dtype dtype) {
  return staysQuantised(view, dtype) && TorchMatrix::canHold(view);
}

/// Copies views to the device one after the other.
class TensorReader {
 public:
  TensorReader(Dtype dtype, Storage storage, at::Device device, std::int64_t totalBytes,
               const ProgressCallback& progress, const std::stop_token& stop)
      : m_dtype(dtype),
        m_storage(storage),
        m_device(device),
        m_total(totalBytes),
        m_progress(progress),
        m_stop(stop) {}

  TorchMatrix readMatrix(const TensorView& view) {
    if (!view.exists() || cancelled()) return {};
    if (!staysSo(view, m_dtype)) return TorchMatrix(read(view));
    TorchMatrix matrix = TorchMatrix::quantised(view, m_device);
    add(matrix.bytes());
    return matrix;
  }

  at::Tensor read(const TensorView& view) {
    if (!view.exists() || cancelled()) return {};
    at::Tensor host = at::empty(view.shape, at::TensorOptions().dtype(scalarType(m_storage)));
    convert(view, m_storage, static_cast<std::byte*>(host.mutable_data_ptr()));
    add(static_cast<std::int64_t>(host.nbytes()));
    return m_device.is_cpu() ? host : host.to(m_device);
  }
  [[nodiscard]] bool cancelled() const { return m_stop.stop_requested(); }

 private:
  void add(std::int64_t bytes) {
    m_done += bytes;
    if (m_progress) m_progress({"Reading weights", m_done, m_total, "bytes"});
  }

  Dtype m_dtype;
  Storage m_storage;
  at::Device m_device;
  std::int64_t m_done = 0;
  std::int64_t m_total;
  const ProgressCallback& m_progress;
  const std::stop_token& m_stop;
};

}  // namespace

Result<Storage> TorchWeights::storageOf(const checkpoint::Checkpoint& checkpoint, Dtype dtype) {
  if (roundsWeights(dtype)) {
    return fail("engine.unsupported", "", "", "weights are rounded to 8 or 4 bits on the CPU alone",
                "choose --device cpu, or another dtype");
  }
  const auto& weights = checkpoint.weights();
  Result<void> outcome;
  forEachMatrix(weights, [&](const TensorView& view, bool) {
    if (const auto storage = storageFor(view, dtype); !storage && outcome) outcome = fail(storage.error());
  });
  if (!outcome) return fail(outcome.error());
  return storageFor(weights.embedding, dtype);
}

std::int64_t TorchWeights::bytesAs(const checkpoint::Checkpoint& checkpoint, Dtype dtype, Storage storage) {
  std::int64_t bytes = 0;
  forEachMatrix(checkpoint.weights(), [&](const TensorView& view, bool) {
    bytes += staysSo(view, dtype) ? quantisedBytes(view) : bytesOf(storage, view.elementCount());
  });
  return bytes;
}

Result<TorchWeights> TorchWeights::load(const checkpoint::Checkpoint& checkpoint, Dtype dtype,
                                        Storage storage, at::Device device, const ProgressCallback& progress,
                                        const std::stop_token& stop) {
  const auto& from = checkpoint.weights();
  TorchWeights weights;
  weights.device = device;
  weights.dtype = scalarType(storage);
  weights.bytes = bytesAs(checkpoint, dtype, storage);
  std::set<std::string> names;
  forEachMatrix(from, [&](const TensorView& view, bool) {
    if (staysSo(view, dtype)) names.insert(storedName(view));
  });
  weights.quantisedNames = joined(names);
  TensorReader reader(dtype, storage, device, weights.bytes, progress, stop);
  weights.embedding = reader.readMatrix(from.embedding);
  for (const auto& layer : from.layers) {
    if (reader.cancelled()) break;
    forEachRole(
        layer, weights.layers.emplace_back(),
        [&reader](const TensorView& view, TorchMatrix& to) { to = reader.readMatrix(view); },
        [&reader](const TensorView& view, at::Tensor& to) { to = reader.read(view); });
  }
  weights.finalNorm = reader.read(from.finalNorm);
  weights.finalNormBias = reader.read(from.finalNormBias);
  weights.headBias = reader.read(from.headBias);
  weights.head = from.head.bytes.data() == from.embedding.bytes.data() ? weights.embedding
                                                                       : reader.readMatrix(from.head);
  if (reader.cancelled()) return fail("cancelled", checkpoint.folder().string(), "", "loading was cancelled");
  return weights;
}

}  // namespace moescope::engine
