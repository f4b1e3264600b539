// attendGrouped: the usual attention of a block for adapters, several query heads a key-value head.
// Not for the one decoder, nor for other ways of sharing keys (ForwardKit::attend takes any).
#pragma once

#include <vector>

#include "core/engine/api/forward_kit.h"

namespace moescope::engine {

/// Rows of one block; what is rotated and normed is so already.
struct GroupedRows {
  const TokenRows& query;  ///< [tokens, heads * headDim]
  const TokenRows& key;    ///< [tokens, keyValueHeads * headDim]
  const TokenRows& value;  ///< [tokens, keyValueHeads * headDim]
  const TokenRows& mixed;  ///< [tokens, heads * headDim], written
};

/// Puts keys and values into `layer` of the cache and attends with heads, scale and sizes of `attention`.
inline void attendGrouped(ForwardKit& kit, AttentionCache& cache, int layer, const ForwardBlock& block,
                          const checkpoint::AttentionSpec& attention, const GroupedRows& rows,
                          std::int64_t window = 0) {
  std::vector<AttentionQuery> jobs;
  jobs.reserve(block.ids.size() * static_cast<std::size_t>(attention.heads));
  const int group = attention.heads / attention.keyValueHeads;
  for (std::size_t t = 0; t < block.ids.size(); ++t) {
    const std::int64_t position = block.position + static_cast<std::int64_t>(t);
    for (int head = 0; head < attention.keyValueHeads; ++head) {
      const std::int64_t first = std::int64_t{head} * attention.headDim;
      cache.write(layer, head, position, rows.key.row(t) + first, rows.value.row(t) + first);
    }
    for (int head = 0; head < attention.heads; ++head) {
      const std::int64_t first = std::int64_t{head} * attention.headDim;
      jobs.push_back({rows.query.row(t) + first, rows.mixed.row(t) + first, head / group, position});
    }
  }
  kit.attend(cache, layer, jobs, attention.scale, window);
}

}  // namespace moescope::engine
