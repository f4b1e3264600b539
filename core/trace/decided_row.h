// Whether a router decided about a row of a block. Not for what it chose.
#pragma once

#include <algorithm>

#include "core/trace/routing_types.h"

namespace moescope::trace {

/// True if the router chose an expert, be it that a full expert dropped the choice or a rule took it away.
/// False in rows that were never forwarded.
inline bool isDecided(const RouteBlock& route, std::size_t row) {
  const auto hasChoice = [&](const std::vector<std::uint16_t>& ids) {
    const auto width = static_cast<std::ptrdiff_t>(ids.size()) / std::max(1, route.count);
    const auto first = ids.begin() + static_cast<std::ptrdiff_t>(row) * width;
    return std::any_of(first, first + width, [](std::uint16_t id) { return id != kEmptySlot; });
  };
  return hasChoice(route.ids) || hasChoice(route.nativeIds);
}

}  // namespace moescope::trace
