// BlockReader: blocks, summaries and sequence sums of a file through one connection, checked and decoded.
// Not a cache and not for live rows (sqlite_trace_store.h).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/trace/block_codec.h"
#include "core/trace/sqlite_handle.h"

namespace moescope::trace {

/// What load queries and virtual tables read blocks from; null = no such row.
class BlockSource {
 public:
  virtual ~BlockSource() = default;
  virtual std::shared_ptr<const TokenBlock> tokenBlock(RunId run, std::int64_t block) = 0;
  virtual std::shared_ptr<const RouteBlock> routeBlock(RunId run, int router, std::int64_t block) = 0;
  virtual std::shared_ptr<const LogitBlock> logitBlock(RunId run, int router, std::int64_t block) = 0;
  virtual std::shared_ptr<const BlockSummary> summary(RunId run, int router, int level,
                                                      std::int64_t block) = 0;
};

class BlockReader {
 public:
  /// `database` must outlive the reader.
  static Result<BlockReader> prepare(Database& database);

  /// Null if there is no such row or it cannot be read at all; `damaged` is set if its checks fail.
  std::shared_ptr<const TokenBlock> tokenBlock(RunId run, std::int64_t block);
  std::shared_ptr<const RouteBlock> routeBlock(RunId run, int index, std::int64_t block,
                                               const RouterSpec& router, CaptureLevel capture);
  /// The block and those that follow it without a gap, at most `most`; empty if there is no such row. One
  /// statement for many rows, as each statement costs SQLite a lock and a look at the file.
  std::vector<std::shared_ptr<const RouteBlock>> routeBlocks(RunId run, int index, std::int64_t block,
                                                             int most, const RouterSpec& router,
                                                             CaptureLevel capture);
  std::shared_ptr<const LogitBlock> logitBlock(RunId run, int index, std::int64_t block,
                                               const RouterSpec& router);
  std::shared_ptr<const BlockSummary> summary(RunId run, int index, int level, std::int64_t block,
                                              const RouterSpec& router);
  /// `damaged` is set instead of a value if the row's checks fail.
  std::optional<SequenceStats> stats(RunId run, int index, std::int32_t sequence, const RouterSpec& router,
                                     bool& damaged);
  /// The sums of the sequence and of those that follow it without a gap, at most `most`, up to the first
  /// that fails its checks; `damaged` is set if that is the sequence itself.
  std::vector<SequenceStats> stats(RunId run, int index, std::int32_t sequence, int most,
                                   const RouterSpec& router, bool& damaged);

 private:
  /// True if the statement stands on a row; `broken` if the file could not be read there.
  static bool stepTo(Statement& statement, bool& broken);

  Statement m_token, m_route, m_logit, m_summary, m_stats;
};

}  // namespace moescope::trace
