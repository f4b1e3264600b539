// Local routing consistency of one router: SRP and SCH (arXiv:2505.16056 and its code ljcleo/moe-lrc).
// Not for sparsity of chunks (sparsity.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/analysis/text_choices.h"

namespace moescope::analysis {

/// How many (window, expert) pairs have c activations of the expert in the window, c = 0..m. All overlapping
/// windows of m tokens inside a piece.
struct WindowHistogram {
  std::vector<std::int64_t> pairs;  ///< [m + 1]
  std::int64_t windows = 0;

  [[nodiscard]] int windowTokens() const { return static_cast<int>(pairs.size()) - 1; }
};

/// Histograms of the pieces of each text ([texts]), pooled over experts. A piece shorter than the window has
/// no window. Work is proportional to tokens x K, not to windows x M.
std::vector<WindowHistogram> windowHistograms(std::span<const TextChoices> pieces, int texts, int experts,
                                              int windowTokens, std::stop_token stop = {});
/// The same by expert ([experts]), pooled over texts.
std::vector<WindowHistogram> expertWindowHistograms(std::span<const TextChoices> pieces, int experts,
                                                    int windowTokens);

/// Segment routing best performance: the F1 of predicting "active in the whole window" for the experts with
/// at least `threshold` activations, at the threshold that makes it largest.
struct SegmentRouting {
  double f1 = 0.0;         ///< NaN if there is no activation
  int threshold = 0;       ///< r*
  double sizeRatio = 0.0;  ///< rho* = predicted / active at r*
};
/// match(r) = sum_{c>=r} c, pred(r) = m #{c >= r}, F1(r) = 2 match / (pred + act); smallest r* on ties.
/// `pairs` [m + 1], counts or weighted counts.
SegmentRouting segmentRouting(std::span<const double> pairs);
SegmentRouting segmentRouting(const WindowHistogram& histogram);
/// SRP of tokens that choose K of M experts at random: c is binomial (m, K/M).
SegmentRouting randomSegmentRouting(int experts, int topK, int windowTokens);

struct CacheHits {
  std::int64_t hits = 0;
  std::int64_t requests = 0;
};
/// Segment cache best hit rate, per text ([texts]): a cache of `cacheExperts` experts that knows the requests
/// of `windowTokens` tokens from the current one on. A request hits if the expert is in the cache when its
/// token begins, or if a slot is still unused (what is loaded before the text is free). Every missed expert
/// is loaded; the one with the fewest requests left in the window goes, on ties the least recently used.
/// Returns what it has when `stop` is requested.
std::vector<CacheHits> cacheHits(std::span<const TextChoices> pieces, int texts, int experts,
                                 int windowTokens, int cacheExperts, std::stop_token stop = {});

}  // namespace moescope::analysis
