// Token-level and chunk-level sparsity of one router (TLS and CLS of BlockFFN, arXiv:2507.08771).
// Not for which experts are reused (routing_consistency.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/analysis/text_choices.h"

namespace moescope::analysis {

/// Whole chunks of one text: their number and the sizes of their unions |A_t1 u ... u A_tc| added up.
struct ChunkSums {
  std::int64_t chunks = 0;
  std::int64_t active = 0;
  ChunkSums& operator+=(const ChunkSums& other) {
    chunks += other.chunks;
    active += other.active;
    return *this;
  }
};

/// Sums over non-overlapping chunks of `chunkTokens` tokens, per text ([texts]); the tail of a piece that
/// does not fill a chunk is left out. Ids that are no expert are ignored.
std::vector<ChunkSums> chunkSums(std::span<const TextChoices> pieces, int texts, int experts,
                                 int chunkTokens);

/// CLS_c = 1 - active / (chunks M); TLS where a chunk is one token. `sharedExperts` are active in every chunk
/// and count in numerator and denominator. NaN without a whole chunk.
double sparsity(const ChunkSums& sums, int experts, int sharedExperts = 0);

/// CLS of tokens that choose `topK` of M experts at random: (1 - K/M)^c of the routed experts.
double randomSparsity(int experts, int topK, int chunkTokens, int sharedExperts = 0);

}  // namespace moescope::analysis
