// TokenTypes: kinds of tokens as a router sees them, found by k-means on its logits.
// Not for labels that people give.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "core/analysis/text_logits.h"

namespace moescope::analysis {

struct TokenTypeSettings {
  int types = 8;
  int restarts = 20;
  int iterations = 100;  ///< of each restart at most
  std::uint64_t seed = 1;
  /// Rows that centres are looked for on, evenly spaced: more change the centres little and cost time in
  /// proportion. All rows are then assigned.
  std::size_t mostRows = 4096;
};

struct TokenTypes {
  std::vector<double> weights;             ///< [types] shares of the rows, sum 1
  std::vector<std::vector<double>> means;  ///< [types][experts] mean logits
  double inertia = 0.0;                    ///< mean squared distance to the own centre
};

/// k-means++ (Arthur and Vassilvitskii 2007) with Lloyd's iterations on the rows of the train half (even
/// texts); the best of the restarts. Types without a row are dropped. Empty without rows or when `stop` is
/// requested.
TokenTypes findTokenTypes(const TextLogits& logits, const TokenTypeSettings& settings,
                          const std::stop_token& stop);

}  // namespace moescope::analysis
