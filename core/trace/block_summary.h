// BlockSummary: load, gate mass and entropy of one router over one node of the level-of-detail pyramid,
// and the builder of that pyramid. Not for arbitrary ranges of tokens (load_query.h).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/trace/routing_types.h"

namespace moescope::trace {

inline constexpr int kSummaryFanOut = 8;
/// 256 * 8^7 tokens: counts of one node still fit 32 bits.
inline constexpr int kTopSummaryLevel = 7;

/// Token rows under one node of a level: 256 * 8^level.
constexpr std::int64_t summarySpan(int level) { return std::int64_t{kBlockTokens} << (3 * level); }

/// One row of the table `summary`.
struct BlockSummary {
  std::int64_t count = 0;          ///< rows of the grid that it covers, from the node's first on
  std::int64_t tokens = 0;         ///< rows with a decision
  std::int64_t slots = 0;          ///< choices made
  std::int64_t massTokens = 0;     ///< rows that gateMass covers
  std::int64_t entropyTokens = 0;  ///< rows that entropySum covers
  std::vector<std::uint32_t> counts;
  std::vector<double> gateMass;
  double entropySum = 0.0;  ///< nat
  bool damaged = false;

  BlockSummary() = default;
  explicit BlockSummary(int experts)
      : counts(static_cast<std::size_t>(experts)), gateMass(static_cast<std::size_t>(experts)) {}
  void add(const BlockSummary& child);
  bool operator==(const BlockSummary&) const = default;
};

/// Adds a node to the load of a range.
void addTo(LoadSummary& load, const BlockSummary& node);

/// Joins finished level-0 summaries of one router, in order of their blocks, into the levels above.
class PyramidBuilder {
 public:
  using Emit = std::function<void(int level, std::int64_t block, const BlockSummary&)>;

  explicit PyramidBuilder(int experts);
  /// `block` follows the one before; emits every node above that is now complete.
  void add(std::int64_t block, const BlockSummary& summary, const Emit& emit);
  /// Sets the unfinished node of a level (1 to kTopSummaryLevel), to go on after a resume.
  void restore(int level, BlockSummary partial);

 private:
  int m_experts;
  std::array<BlockSummary, kTopSummaryLevel> m_partial;  // of levels 1 to 7
};

}  // namespace moescope::trace
