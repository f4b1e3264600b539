// Routed tokens: a run's blocks of one router in order, as analyses read them token by token.
// Not for sums over texts or runs, which the trace keeps ready (sequence_stats, summaries).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/trace/trace_store.h"

namespace moescope::analysis {

/// Rows [begin, end) of one block: `begin` and `end` are rows in the block, row r is token `first` + r.
struct RoutedBlock {
  std::int64_t first = 0;  ///< token of the block's row 0
  int begin = 0, end = 0;
  std::shared_ptr<const trace::TokenBlock> tokens;  ///< null if missing or damaged
  std::shared_ptr<const trace::RouteBlock> routes;  ///< never null or damaged
  std::shared_ptr<const trace::LogitBlock> logits;  ///< null unless asked for and recorded

  /// Chosen experts of a row in selection order, [width]; kEmptySlot = none.
  [[nodiscard]] std::span<const std::uint16_t> ids(int row) const {
    const auto width = static_cast<std::size_t>(routes->width);
    return std::span(routes->ids).subspan(static_cast<std::size_t>(row) * width, width);
  }
};

struct BlockNeeds {
  bool tokens = false;  ///< token ids, sequences, positions
  bool logits = false;
};

/// Calls `visit` for the routed rows of `range`, in order; rows of damaged blocks are left out. Returns the
/// number of rows visited, or `cancelled`.
Result<std::int64_t> forEachRoutedBlock(const trace::TraceStore& store, trace::RunId run, int router,
                                        trace::TokenRange range, BlockNeeds needs, std::stop_token stop,
                                        const std::function<void(const RoutedBlock&)>& visit);

/// "run 3 “corpus”, 45056 tokens, 176 texts, capture ids": the sample line of an analysis of a whole run.
std::string sampleText(const trace::RunRecord& run);

}  // namespace moescope::analysis
