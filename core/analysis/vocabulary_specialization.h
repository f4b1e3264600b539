// Vocabulary specialization: how far the expert is told by the token (OLMoE, arXiv:2409.02060 eq. 8).
// Not for what else tells it (context_independence.h).
#pragma once

#include <vector>

#include "core/analysis/key_counts.h"

namespace moescope::analysis {

/// Voc(i, x) = N_{x,i} / N_x; of each id the largest over experts is taken, then averaged in three ways.
struct VocabularyValues {
  double allIds = 0.0;         ///< unweighted over all ids (the paper; rare ids push it up)
  double minCount = 0.0;       ///< unweighted over ids with at least `minOccurrences`
  double tokenWeighted = 0.0;  ///< weighted by occurrences
  std::int64_t ids = 0, minCountIds = 0, tokens = 0;
};

/// Values are NaN where no id is left.
VocabularyValues vocabularyValues(const KeyCounts& counts, std::int64_t minOccurrences);

/// (v - k/M) / (1 - k/M): 0 at chance, 1 where the token tells everything.
double chanceNormalised(double value, int choices, int experts);

/// Of each expert: the mean of the maxima of the ids whose argmax it is (ties: the smaller expert), over ids
/// with at least `minOccurrences`, [experts]; NaN for an expert that is no id's argmax.
struct ExpertVocabulary {
  std::vector<double> values;
  std::vector<std::int64_t> ids;  ///< how many ids it is the argmax of
};
ExpertVocabulary expertVocabulary(const KeyCounts& counts, std::int64_t minOccurrences);

struct TopToken {
  std::int32_t id = 0;
  std::int64_t occurrences = 0;  ///< N_x
  std::int64_t chosen = 0;       ///< N_{x,i}
  double rate = 0.0;             ///< Voc(i, x)
};

/// The ids with at least `minOccurrences` that the expert serves most surely: by rate, then occurrences, both
/// descending, then id. Ids that it never serves are left out.
std::vector<TopToken> topTokens(const KeyCounts& counts, int expert, std::int64_t minOccurrences, int most);

}  // namespace moescope::analysis
