#include "core/analysis/token_similarity.h"

#include <bit>
#include <limits>

namespace moescope::analysis {

double tokenSimilarity(std::span<const TextChoices> pieces, int experts) {
  const auto words = (static_cast<std::size_t>(experts) + 63) / 64;
  std::vector<std::uint64_t> sets;  // [tokens, words] a bit for each chosen expert
  for (const TextChoices& piece : pieces) {
    for (int token = 0; token < piece.tokens(); ++token) {
      const std::size_t first = sets.size();
      sets.resize(first + words, 0);
      for (const std::uint16_t id : piece.row(token))
        if (id < experts) sets[first + id / 64] |= std::uint64_t{1} << (id % 64);
    }
  }
  const std::size_t tokens = words > 0 ? sets.size() / words : 0;
  if (tokens < 2) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0.0;
  for (std::size_t a = 0; a < tokens; ++a) {
    for (std::size_t b = a + 1; b < tokens; ++b) {
      int both = 0, either = 0;
      for (std::size_t w = 0; w < words; ++w) {
        both += std::popcount(sets[a * words + w] & sets[b * words + w]);
        either += std::popcount(sets[a * words + w] | sets[b * words + w]);
      }
      sum += static_cast<double>(both) / either;  // a piece has no token without a choice
    }
  }
  return sum / (static_cast<double>(tokens) * static_cast<double>(tokens - 1) / 2.0);
}

}  // namespace moescope::analysis
