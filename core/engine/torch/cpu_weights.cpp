#include "core/engine/torch/cpu_weights.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <span>
#include <thread>

#include "core/base/log.h"
#include "core/checkpoint/float_values.h"
#include "core/engine/torch/devices.h"

namespace moescope::engine {

using checkpoint::TensorView;

namespace {

// Converted matrices start at cache lines, so that vector loads do not straddle two.
constexpr std::int64_t kAlignment = 64;
// Rows of a quantised matrix that are widened at once: 16 of 4096 floats fill a quarter of the second cache.
constexpr std::int64_t kStripRows = 16;
// From so many tokens on, widening a row once costs less than unpacking its blocks for every four tokens.
// Both give the same bits.
constexpr int kStripTokens = 8;
// A matrix of this size is not found in a cache again when the next token needs it.
constexpr std::int64_t kStreamedBytes = 128 << 10;

struct Sizes {
  std::int64_t all = 0;         ///< bytes of all matrices
  std::int64_t mapped = 0;      ///< of those that stay in the file
  std::int64_t converted = 0;   ///< of those that need own memory, with alignment
  std::set<std::string> names;  ///< of the storages
};

std::int64_t aligned(std::int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

std::int64_t bytesAs(const TensorView& view, Storage storage) {
  return bytesOf(storage, view.elementCount());
}

Result<Sizes> measure(const checkpoint::ModelWeights& weights, Dtype chosen) {
  Sizes sizes;
  Result<void> outcome;
  forEachMatrix(weights, [&](const TensorView& view, bool mayRound) {
    const Dtype dtype = dtypeFor(view, mayRound, chosen);
    const auto storage = storageFor(view, dtype);
    if (!storage) {
      if (outcome) outcome = fail(storage.error());
      return;
    }
    if (staysQuantised(view, dtype)) {
      sizes.names.insert(storedName(view));
      sizes.all += quantisedBytes(view);
      sizes.mapped += quantisedBytes(view);
      return;
    }
    sizes.names.insert(std::string(name(*storage)) + (roundsWeights(dtype) ? " (rounded)" : ""));
    sizes.all += bytesAs(view, *storage);
    if (usableInPlace(view, *storage)) {
      sizes.mapped += bytesAs(view, *storage);
    } else {
      sizes.converted += aligned(bytesAs(view, *storage));
    }
  });
  if (!outcome) return fail(outcome.error());
  return sizes;
}

/// Turns views into matrices; what cannot be used in place gets a place in one buffer and is converted at the
/// end, by all cores.
class MatrixReader {
 public:
  /// `converted`: where the matrices are, or will be, that are not used in place.
  MatrixReader(Dtype dtype, const std::byte* converted, std::int64_t totalBytes,
               const ProgressCallback& progress, const std::stop_token& stop)
      : m_dtype(dtype),
        m_first(converted),
        m_next(converted),
        m_total(totalBytes),
        m_progress(progress),
        m_stop(stop) {}

  CpuMatrix read(const TensorView& view, bool mayRound) {
    const Dtype dtype = dtypeFor(view, mayRound, m_dtype);
    const Storage storage = storageFor(view, dtype).value();
    CpuMatrix matrix{view.bytes.data(), storage, view.shape[0], view.shape[1], nullptr};
    if (staysQuantised(view, dtype)) {
      if (view.dtype == checkpoint::DType::Q8_0 && view.strides.empty()) {
        matrix.storage = Storage::Q8_0;
      } else if (view.dtype == checkpoint::DType::Q4_0 && view.strides.empty()) {
        matrix.storage = Storage::Q4_0;
      } else {
        matrix.quantised = &view;
      }
      add(quantisedBytes(view), true);
      return matrix;
    }
    if (usableInPlace(view, storage)) {
      add(bytesAs(view, storage), true);
      return matrix;
    }
    m_conversions.push_back({&view, storage, m_next - m_first});
    matrix.data = m_next;
    m_next += aligned(bytesAs(view, storage));
    return matrix;
  }

  void convertAll(std::byte* to) {
    m_to = to;
    std::vector<std::jthread> helpers;
    for (int i = 1; i < std::min(usableCores(), static_cast<int>(m_conversions.size())); ++i)
      helpers.emplace_back([this] { work(false); });
    work(true);
    helpers.clear();
    add(0, true);
  }
  [[nodiscard]] bool cancelled() const { return m_stop.stop_requested(); }

 private:
  struct Conversion {
    const TensorView* view;
    Storage storage;
    std::ptrdiff_t offset;
  };

  /// Only the thread that loads reports progress.
  void work(bool reports) {
    for (std::size_t i = m_upcoming++; i < m_conversions.size() && !cancelled(); i = m_upcoming++) {
      const Conversion& conversion = m_conversions[i];
      convert(*conversion.view, conversion.storage, m_to + conversion.offset);
      add(bytesAs(*conversion.view, conversion.storage), reports);
    }
  }

  void add(std::int64_t bytes, bool reports) {
    m_done += bytes;
    if (reports && m_progress) m_progress({"Reading weights", m_done, m_total, "bytes"});
  }

  std::vector<Conversion> m_conversions;
  std::atomic<std::size_t> m_upcoming = 0;
  Dtype m_dtype;
  const std::byte* m_first;
  const std::byte* m_next;
  std::byte* m_to = nullptr;
  std::atomic<std::int64_t> m_done = 0;
  std::int64_t m_total;
  const ProgressCallback& m_progress;
  const std::stop_token& m_stop;
};

}  // namespace

void widenRow(const Kernels& kernels, const CpuMatrix& matrix, std::int64_t row, float* out) {
  const auto columns = static_cast<std::size_t>(matrix.columns);
  if (matrix.quantised != nullptr) {
    checkpoint::readRow(*matrix.quantised, row, std::span(out, columns));
    return;
  }
  const auto* bytes = static_cast<const std::byte*>(matrix.data);
  kernels.widen(bytes + bytesOf(matrix.storage, row * matrix.columns), matrix.storage, matrix.columns, out);
}

void matmul(const Kernels& kernels, const CpuMatrix& matrix, MatmulJob job) {
  job.columns = matrix.columns;
  job.weights = matrix.data;
  job.storage = matrix.storage;
  job.streams = bytesOf(matrix.storage, matrix.rows * matrix.columns) >= kStreamedBytes;
  const bool hasBlocks = matrix.storage == Storage::Q8_0 || matrix.storage == Storage::Q4_0;
  if (matrix.quantised == nullptr && (!hasBlocks || job.tokens < kStripTokens)) {
    kernels.matmul(job);
    return;
  }
  // A strip of rows at a time is widened into memory that stays in the cache.
  static thread_local std::vector<float> strip;
  static thread_local std::vector<float*> outputs;
  strip.resize(static_cast<std::size_t>(kStripRows * matrix.columns));
  outputs.resize(static_cast<std::size_t>(job.tokens));
  for (std::int64_t first = job.firstRow; first < job.endRow; first += kStripRows) {
    const std::int64_t rows = std::min(kStripRows, job.endRow - first);
    for (std::int64_t row = 0; row < rows; ++row)
      widenRow(kernels, matrix, first + row, strip.data() + row * matrix.columns);
    for (std::size_t t = 0; t < outputs.size(); ++t) outputs[t] = job.outputs[t] + first;
    kernels.matmul({strip.data(), Storage::F32, matrix.columns, 0, rows, job.inputs, outputs.data(),
                    job.gains, job.tokens});
  }
}

Result<std::int64_t> CpuWeights::bytesAs(const checkpoint::Checkpoint& checkpoint, Dtype dtype) {
  const auto sizes = measure(checkpoint.weights(), dtype);
  if (!sizes) return fail(sizes.error());
  return sizes->all;
}

Result<CpuWeights> CpuWeights::load(const checkpoint::Checkpoint& checkpoint, const LoadOptions& options,
                                    const ProgressCallback& progress, const std::stop_token& stop) {
  const auto& from = checkpoint.weights();
  const auto sizes = measure(from, options.dtype);
  if (!sizes) return fail(sizes.error());
  CpuWeights weights;
  const auto convertedBytes = static_cast<std::size_t>(sizes->converted);
  std::filesystem::path kept;
  if (roundsWeights(options.dtype) && !options.roundedFolder.empty()) {
    kept = RoundedFile::pathOf(options.roundedFolder, checkpoint, options.dtype);
    weights.rounded = RoundedFile::open(kept, convertedBytes);
  }
  if (!weights.rounded) {
    auto buffer = FloatBuffer::allocate(convertedBytes, "the weights");
    if (!buffer) return fail(std::move(buffer).error());
    weights.converted = *std::move(buffer);
  }
  weights.bytes = sizes->all;
  weights.mapped = weights.rounded ? sizes->all : sizes->mapped;
  weights.storageName = joined(sizes->names);

  MatrixReader reader(options.dtype, weights.rounded ? weights.rounded->weights() : weights.converted.bytes(),
                      sizes->all, progress, stop);
  weights.embedding = reader.read(from.embedding, true);
  for (const auto& layer : from.layers) {
    if (reader.cancelled()) break;
    forEachRole(
        layer, weights.layers.emplace_back(),
        [&](const TensorView& view, CpuMatrix& to) {
          if (view.exists()) to = reader.read(view, &view != &layer.moe.router);
        },
        [](const TensorView& view, CpuVector& to) { to = checkpoint::floatsOf(view); });
  }
  for (const auto& [name, parts] : from.ownMatrices) {
    if (reader.cancelled()) break;
    for (const TensorView& part : parts) weights.ownMatrices[name].push_back(reader.read(part, false));
  }
  for (const auto& [name, vector] : from.ownVectors) weights.ownVectors[name] = checkpoint::floatsOf(vector);
  weights.finalNorm = checkpoint::floatsOf(from.finalNorm);
  weights.finalNormBias = checkpoint::floatsOf(from.finalNormBias);
  weights.headBias = checkpoint::floatsOf(from.headBias);
  weights.head = from.head.bytes.data() == from.embedding.bytes.data() ? weights.embedding
                                                                       : reader.read(from.head, true);
  if (!weights.rounded) reader.convertAll(weights.converted.bytes());
  if (reader.cancelled()) return fail("cancelled", checkpoint.folder().string(), "", "loading was cancelled");
  if (!kept.empty() && !weights.rounded) {
    if (auto written = RoundedFile::write(kept, {weights.converted.bytes(), convertedBytes}); !written)
      spdlog::warn("{}", written.error().text());
  }
  return weights;
}

}  // namespace moescope::engine
