#include "core/trace/block_codec.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

#include "core/base/crc32.h"
#include "core/base/half.h"
#include "core/trace/row_kernels.h"

namespace moescope::trace {

static_assert(std::endian::native == std::endian::little, "BLOBs are little-endian and copied as they are");

namespace {

template <class T>
bool holds(Blob blob, std::size_t values) {
  return blob.size() == values * sizeof(T);
}

template <class T>
std::vector<T> copy(Blob blob) {
  std::vector<T> values(blob.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), blob.data(), values.size() * sizeof(T));
  return values;
}

int claimedCount(std::int64_t count) {
  return static_cast<int>(std::clamp<std::int64_t>(count, 0, kBlockTokens));
}

bool matches(std::int64_t crc, std::span<const Blob> blobs) {
  return crc == static_cast<std::int64_t>(checksum(blobs));
}

void encodeIds(const std::vector<std::uint16_t>& ids, int experts, std::vector<std::byte>& out) {
  if (idBytes(experts) == 2) {
    const Blob bytes = bytesOf(ids);
    out.assign(bytes.begin(), bytes.end());
    return;
  }
  out.resize(ids.size());
  // kEmptySlot keeps all bits set when it is cut to eight.
  for (std::size_t i = 0; i < ids.size(); ++i) out[i] = static_cast<std::byte>(ids[i] & 0xFFU);
}

/// False if an id names no expert.
bool decodeIds(Blob blob, int experts, std::vector<std::uint16_t>& ids) {
  if (idBytes(experts) == 2) {
    ids = copy<std::uint16_t>(blob);
  } else {
    ids.resize(blob.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto id = std::to_integer<std::uint16_t>(blob[i]);
      ids[i] = id == 0xFFU ? kEmptySlot : id;
    }
  }
  // Without an early end, so that the compiler looks at many ids at a time.
  const auto count = static_cast<std::uint32_t>(experts);
  std::uint32_t wrong = 0;
  for (const std::uint16_t id : ids) wrong |= static_cast<std::uint32_t>(id >= count && id != kEmptySlot);
  return wrong == 0;
}

std::int64_t sumOf(const std::vector<std::uint32_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

RouteBlock damagedRoute(std::int64_t count) {
  RouteBlock block;
  block.count = claimedCount(count);
  block.damaged = true;
  return block;
}

}  // namespace

std::uint32_t checksum(std::span<const Blob> blobs) {
  std::uint32_t crc = 0;
  for (const Blob blob : blobs) {
    // zlib starts anew when it is given no buffer.
    if (!blob.empty()) crc = crc32(crc, blob);
  }
  return crc;
}

void encode(const RouteBlock& block, int experts, CaptureLevel capture, RouteBlobs& blobs) {
  encodeIds(block.ids, experts, blobs.ids);
  blobs.weights.clear();
  blobs.hasWeights = capture == CaptureLevel::Weights || capture == CaptureLevel::Full;
  if (capture == CaptureLevel::Full) {
    const Blob bytes = bytesOf(block.weights);
    blobs.weights.assign(bytes.begin(), bytes.end());
  } else if (capture == CaptureLevel::Weights) {
    blobs.weights.resize(block.weights.size() * 2);
    rowKernels().toHalf(block.weights.data(), reinterpret_cast<std::uint16_t*>(blobs.weights.data()),
                        block.weights.size());
  }
  blobs.nativeIds.clear();
  blobs.droppedNativeMass.clear();
  blobs.hasNative = !block.droppedNativeMass.empty();
  if (blobs.hasNative) {
    encodeIds(block.nativeIds, experts, blobs.nativeIds);
    const Blob bytes = bytesOf(block.droppedNativeMass);
    blobs.droppedNativeMass.assign(bytes.begin(), bytes.end());
  }
  const std::array<Blob, 4> columns{blobs.ids, blobs.weights, blobs.nativeIds, blobs.droppedNativeMass};
  blobs.crc = checksum(columns);
}

bool hasAlternatives(const TokenBlock& block) {
  return std::any_of(block.alternativeIds.begin(), block.alternativeIds.end(),
                     [](std::int32_t id) { return id >= 0; });
}

std::uint32_t checksum(const TokenBlock& block) {
  const bool whole = hasAlternatives(block);
  const std::array<Blob, 8> columns{bytesOf(block.ids),
                                    bytesOf(block.sequences),
                                    bytesOf(block.positions),
                                    bytesOf(block.phases),
                                    bytesOf(block.logProbs),
                                    bytesOf(block.entropies),
                                    whole ? bytesOf(block.alternativeIds) : Blob(),
                                    whole ? bytesOf(block.alternativeLogProbs) : Blob()};
  return checksum(columns);
}

std::uint32_t checksum(const BlockSummary& summary) {
  const std::array<Blob, 2> columns{bytesOf(summary.counts), bytesOf(summary.gateMass)};
  return checksum(columns);
}

TokenBlock decode(const TokenRowBlobs& row) {
  TokenBlock block;
  block.count = claimedCount(row.count);
  const auto n = static_cast<std::size_t>(block.count);
  const std::array<Blob, 8> columns{row.ids,      row.sequences, row.positions,      row.phases,
                                    row.logProbs, row.entropies, row.alternativeIds, row.alternativeLogProbs};
  const bool whole = !row.alternativeIds.empty() || !row.alternativeLogProbs.empty();
  const bool sized = block.count == row.count && holds<std::int32_t>(row.ids, n) &&
                     holds<std::int32_t>(row.sequences, n) && holds<std::int32_t>(row.positions, n) &&
                     holds<std::uint8_t>(row.phases, n) && holds<float>(row.logProbs, n) &&
                     holds<float>(row.entropies, n) &&
                     (!whole || (holds<std::int32_t>(row.alternativeIds, n * kAlternatives) &&
                                 holds<float>(row.alternativeLogProbs, n * kAlternatives)));
  if (!sized || !matches(row.crc, columns)) {
    block.damaged = true;
    return block;
  }
  block.ids = copy<std::int32_t>(row.ids);
  block.sequences = copy<std::int32_t>(row.sequences);
  block.positions = copy<std::int32_t>(row.positions);
  block.phases = copy<std::uint8_t>(row.phases);
  block.logProbs = copy<float>(row.logProbs);
  block.entropies = copy<float>(row.entropies);
  block.alternativeIds = copy<std::int32_t>(row.alternativeIds);
  block.alternativeLogProbs = copy<float>(row.alternativeLogProbs);
  block.alternativeIds.resize(n * kAlternatives, -1);
  block.alternativeLogProbs.resize(n * kAlternatives, kMissing);
  return block;
}

RouteBlock decode(const RouteRowBlobs& row, const RouterSpec& router, CaptureLevel capture) {
  RouteBlock block;
  const auto size = static_cast<std::size_t>(idBytes(router.experts));
  const bool wantsWeights = capture == CaptureLevel::Weights || capture == CaptureLevel::Full;
  if (row.count < 0 || row.count > kBlockTokens || row.width < 0 || row.width > router.experts ||
      row.weights.has_value() != wantsWeights ||
      row.nativeIds.has_value() != row.droppedNativeMass.has_value())
    return damagedRoute(row.count);
  block.count = static_cast<int>(row.count);
  block.width = static_cast<int>(row.width);
  const auto rows = static_cast<std::size_t>(block.count);
  const auto slots = rows * static_cast<std::size_t>(block.width);
  const std::size_t weightSize = capture == CaptureLevel::Full ? 4 : 2;
  const Blob weights = row.weights.value_or(Blob{});
  const Blob native = row.nativeIds.value_or(Blob{});
  const Blob dropped = row.droppedNativeMass.value_or(Blob{});
  const std::array<Blob, 4> columns{row.ids, weights, native, dropped};
  const bool sized =
      row.ids.size() == slots * size && (!wantsWeights || weights.size() == slots * weightSize) &&
      (!row.nativeIds ||
       (native.size() == rows * static_cast<std::size_t>(router.topK) * size && holds<float>(dropped, rows)));
  if (!sized || !matches(row.crc, columns)) return damagedRoute(row.count);
  if (!decodeIds(row.ids, router.experts, block.ids) || !decodeIds(native, router.experts, block.nativeIds))
    return damagedRoute(row.count);
  block.droppedNativeMass = copy<float>(dropped);
  if (capture == CaptureLevel::Full) block.weights = copy<float>(weights);
  if (capture == CaptureLevel::Weights) {
    block.weights.resize(slots);
    for (std::size_t i = 0; i < slots; ++i) {
      std::uint16_t half = 0;
      std::memcpy(&half, weights.data() + 2 * i, 2);
      block.weights[i] = halfToFloat(half);
    }
  }
  return block;
}

LogitBlock decode(const LogitRowBlobs& row, int experts) {
  LogitBlock block;
  block.count = claimedCount(row.count);
  block.experts = experts;
  const auto values = static_cast<std::size_t>(block.count) * static_cast<std::size_t>(experts);
  const std::array<Blob, 1> columns{row.logits};
  if (block.count != row.count || !holds<std::uint16_t>(row.logits, values) || !matches(row.crc, columns)) {
    block.damaged = true;
    return block;
  }
  block.halves = copy<std::uint16_t>(row.logits);
  return block;
}

BlockSummary decode(BlockSummary summary, int level, Blob load, Blob gateMass, std::int64_t crc,
                    int experts) {
  const auto n = static_cast<std::size_t>(experts);
  const std::array<Blob, 2> columns{load, gateMass};
  if (!holds<std::uint32_t>(load, n) || !holds<double>(gateMass, n) || !matches(crc, columns)) {
    summary.damaged = true;
    return summary;
  }
  summary.counts = copy<std::uint32_t>(load);
  summary.gateMass = copy<double>(gateMass);
  const auto within = [&](std::int64_t rows) { return rows >= 0 && rows <= summary.count; };
  summary.damaged = summary.count < 0 || summary.count > summarySpan(level) || !within(summary.tokens) ||
                    !within(summary.massTokens) || !within(summary.entropyTokens) ||
                    summary.slots != sumOf(summary.counts) || !std::isfinite(summary.entropySum);
  return summary;
}

StatsBlobs encode(const SequenceStats& stats) {
  StatsBlobs blobs;
  blobs.counts.assign(stats.counts.begin(), stats.counts.end());
  const std::array<Blob, 4> columns{bytesOf(blobs.counts), bytesOf(stats.gateMass), bytesOf(stats.logitSum),
                                    bytesOf(stats.probabilitySum)};
  blobs.crc = checksum(columns);
  return blobs;
}

std::optional<SequenceStats> decode(SequenceStats stats, Blob counts, Blob gateMass, Blob logitSum,
                                    Blob probabilitySum, std::int64_t crc, int experts) {
  const auto n = static_cast<std::size_t>(experts);
  const std::array<Blob, 4> columns{counts, gateMass, logitSum, probabilitySum};
  if (!holds<std::uint32_t>(counts, n) || !holds<double>(gateMass, n) || !holds<double>(logitSum, n) ||
      !holds<double>(probabilitySum, n) || !matches(crc, columns))
    return std::nullopt;
  const auto narrow = copy<std::uint32_t>(counts);
  const auto within = [](std::int64_t rows, std::int64_t limit) { return rows >= 0 && rows <= limit; };
  // A token whose choices were all dropped counts, so there may be more tokens than choices.
  if (!within(stats.tokens, kMostTokens) || !within(stats.massTokens, stats.tokens) ||
      !within(stats.logitTokens, kMostTokens))
    return std::nullopt;
  stats.counts.assign(narrow.begin(), narrow.end());
  stats.gateMass = copy<double>(gateMass);
  stats.logitSum = copy<double>(logitSum);
  stats.probabilitySum = copy<double>(probabilitySum);
  return stats;
}

}  // namespace moescope::trace
