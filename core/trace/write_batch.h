// WriteBatch: what one transaction writes of one run, a consistent state between two recorder calls.
// Not SQL (batch_writer.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/rule_effect.h"
#include "core/trace/block_summary.h"
#include "core/trace/routing_types.h"

namespace moescope::trace {

struct WriteBatch {
  template <class Block>
  struct Item {
    int router = 0;  ///< 0 for token blocks
    std::int64_t block = 0;
    std::shared_ptr<const Block> columns;
    bool final = false;  ///< will not be written again
  };
  struct SummaryItem {
    int router = 0;
    int level = 0;
    std::int64_t block = 0;
    std::shared_ptr<const BlockSummary> summary;
    bool final = false;
  };
  struct StatsItem {
    int router = 0;
    std::int32_t sequence = 0;
    std::shared_ptr<const SequenceStats> stats;
  };
  struct EventItem {
    std::int64_t ordinal = 0;
    SteeringEvent event;
  };

  RunRecord run;  ///< counts, status and end time are written
  std::vector<Item<TokenBlock>> tokens;
  std::vector<Item<RouteBlock>> routes;
  std::vector<Item<LogitBlock>> logits;
  std::vector<SummaryItem> summaries;
  std::vector<StatsItem> stats;
  std::vector<SequenceRecord> sequences;  ///< new or changed
  std::vector<EventItem> events;
  std::optional<std::vector<RuleEffect>> effects;  ///< all of the run, where they changed
  std::vector<std::pair<std::int32_t, std::string>> vocabulary;
};

}  // namespace moescope::trace
