#include "core/analysis/token_drop.h"

#include <cmath>

namespace moescope::analysis {

std::int64_t expertCapacity(double factor, int choices, std::int64_t tokens, int experts) {
  const double even = factor * static_cast<double>(choices) * static_cast<double>(tokens) / experts;
  // A factor such as 1.1 is a little above itself in binary; that alone must not add a place.
  constexpr double kRounding = 1e-12;
  return static_cast<std::int64_t>(std::ceil(even * (1.0 - kRounding)));
}

std::vector<std::uint8_t> droppedChoices(std::span<const std::uint16_t> ids, int choices, int experts,
                                         std::int64_t capacity, DropOrder order) {
  std::vector<std::uint8_t> dropped(ids.size(), 0);
  std::vector<std::int64_t> taken(static_cast<std::size_t>(experts), 0);
  const auto take = [&](std::size_t place) {
    const std::size_t expert = ids[place];
    if (expert >= taken.size()) return;
    if (taken[expert] >= capacity) {
      dropped[place] = 1;
    } else {
      ++taken[expert];
    }
  };
  const auto width = static_cast<std::size_t>(choices);
  if (order == DropOrder::Sequence) {
    for (std::size_t place = 0; place < ids.size(); ++place) take(place);
  } else {
    for (std::size_t rank = 0; rank < width; ++rank)
      for (std::size_t place = rank; place < ids.size(); place += width) take(place);
  }
  return dropped;
}

}  // namespace moescope::analysis
