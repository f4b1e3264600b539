// Seeded permutations that are the same on every machine. Not for draws with replacement (bootstrap.h).
#pragma once

#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <utility>

namespace moescope::analysis {

/// Fisher and Yates, each order with the same probability.
template <class Value>
void shuffle(std::span<Value> values, std::mt19937_64& random) {
  for (std::size_t left = values.size(); left > 1; --left) {
    const std::uint64_t limit = std::numeric_limits<std::uint64_t>::max() / left * left;
    std::uint64_t value = random();
    while (value >= limit) value = random();
    std::swap(values[left - 1], values[value % left]);
  }
}

}  // namespace moescope::analysis
