#include "core/analysis/sparsity.h"

#include <cmath>
#include <limits>

namespace moescope::analysis {

std::vector<ChunkSums> chunkSums(std::span<const TextChoices> pieces, int texts, int experts,
                                 int chunkTokens) {
  std::vector<ChunkSums> out(static_cast<std::size_t>(texts));
  std::vector<std::int64_t> lastChunk(static_cast<std::size_t>(experts), -1);
  std::int64_t chunk = 0;
  for (const TextChoices& piece : pieces) {
    ChunkSums& sums = out[static_cast<std::size_t>(piece.text)];
    for (int first = 0; first + chunkTokens <= piece.tokens(); first += chunkTokens, ++chunk) {
      ++sums.chunks;
      for (int token = first; token < first + chunkTokens; ++token) {
        for (const std::uint16_t id : piece.row(token)) {
          if (id >= experts || lastChunk[id] == chunk) continue;
          lastChunk[id] = chunk;
          ++sums.active;
        }
      }
    }
  }
  return out;
}

double sparsity(const ChunkSums& sums, int experts, int sharedExperts) {
  if (sums.chunks == 0 || experts <= 0) return std::numeric_limits<double>::quiet_NaN();
  const double chunks = static_cast<double>(sums.chunks);
  return 1.0 -
         (static_cast<double>(sums.active) + chunks * sharedExperts) / (chunks * (experts + sharedExperts));
}

double randomSparsity(int experts, int topK, int chunkTokens, int sharedExperts) {
  const double idle = 1.0 - static_cast<double>(topK) / experts;
  return std::pow(idle, chunkTokens) * experts / (experts + sharedExperts);
}

}  // namespace moescope::analysis
