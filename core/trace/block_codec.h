// Blocks to the BLOBs of a file's rows and back (docs/file_format.md). Every length is checked against
// count x width x size before anything is read. Not for SQL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/trace/block_summary.h"
#include "core/trace/routing_types.h"

namespace moescope::trace {

using Blob = std::span<const std::byte>;

template <class T>
Blob bytesOf(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

/// crc32 over BLOBs in order; an absent one counts as empty.
std::uint32_t checksum(std::span<const Blob> blobs);

/// Bytes of a stored expert id: 1 up to 255 experts, else 2. All bits set = empty slot.
constexpr int idBytes(int experts) { return experts <= 255 ? 1 : 2; }

/// BLOB columns of `route_block`, in order. The last three are absent where the capture level or the
/// block has no such column.
struct RouteBlobs {
  std::vector<std::byte> ids;
  std::vector<std::byte> weights;
  std::vector<std::byte> nativeIds;
  std::vector<std::byte> droppedNativeMass;
  bool hasWeights = false;
  bool hasNative = false;
  std::uint32_t crc = 0;
};

/// Fills `blobs` (its buffers are reused).
void encode(const RouteBlock& block, int experts, CaptureLevel capture, RouteBlobs& blobs);
/// False where no row knows alternatives; their columns are then stored empty.
bool hasAlternatives(const TokenBlock& block);
/// Of the block as it is stored.
std::uint32_t checksum(const TokenBlock& block);
std::uint32_t checksum(const BlockSummary& summary);

/// Rows as they stand in the file. A block that fails a check comes back with `damaged` set, no columns,
/// and the count that the row claims (kept inside 0 to 256).
struct TokenRowBlobs {
  std::int64_t count = 0;
  Blob ids, sequences, positions, phases, logProbs, entropies, alternativeIds, alternativeLogProbs;
  std::int64_t crc = 0;
};
TokenBlock decode(const TokenRowBlobs& row);

struct RouteRowBlobs {
  std::int64_t count = 0;
  std::int64_t width = 0;
  Blob ids;
  std::optional<Blob> weights, nativeIds, droppedNativeMass;
  std::int64_t crc = 0;
};
RouteBlock decode(const RouteRowBlobs& row, const RouterSpec& router, CaptureLevel capture);

struct LogitRowBlobs {
  std::int64_t count = 0;
  Blob logits;
  std::int64_t crc = 0;
};
LogitBlock decode(const LogitRowBlobs& row, int experts);

/// `summary` has every column but the histograms; `load` is uint32 [experts], `gateMass` float64 [experts].
/// The checksum covers the BLOBs only, so the counts beside them must agree with each other and the level.
BlockSummary decode(BlockSummary summary, int level, Blob load, Blob gateMass, std::int64_t crc, int experts);

struct StatsBlobs {
  std::vector<std::uint32_t> counts;
  std::uint32_t crc = 0;
};
StatsBlobs encode(const SequenceStats& stats);
/// Null if a length, the checksum or a count is wrong. `stats` has the scalar columns.
std::optional<SequenceStats> decode(SequenceStats stats, Blob counts, Blob gateMass, Blob logitSum,
                                    Blob probabilitySum, std::int64_t crc, int experts);

}  // namespace moescope::trace
