// StripText: the tokens of a run as the strip shows them: shown text and where sequences begin, read block by
// block and extended while a run grows. Not for values of tokens (strip_settings.h).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/trace/trace_store.h"

namespace moescope::views {

struct StripText {
  std::vector<std::int32_t> ids;  ///< [tokens]; -1 where a block is damaged
  std::shared_ptr<std::unordered_map<std::int32_t, std::string>> texts;  ///< shown text of an id
  std::map<std::int64_t, std::string> breaks;  ///< first token of a later sequence and its label
  std::int64_t promptTokens = 0;               ///< rows of phase prefill

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(ids.size()); }
  [[nodiscard]] const std::string& text(std::int64_t token) const;
};

/// Rows of `before` stay, those behind are read. Rows that are gone (a rewound run) are dropped.
StripText stripText(const trace::TraceStore& store, trace::RunId run, const StripText& before,
                    std::stop_token stop = {});

}  // namespace moescope::views
