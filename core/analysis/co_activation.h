// Co-activation: which experts of one layer serve the same token (OLMoE, arXiv:2409.02060 eq. 6).
// Not across layers.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "core/analysis/analysed_run.h"
#include "core/analysis/bootstrap.h"

namespace moescope::analysis {

/// Adjacent rank is what the code behind the published figure counts: neighbours (r, r + 1) in the order of
/// selection only.
enum class PairKind : std::uint8_t { AllPairs, AdjacentRank };

struct CoActivationCounts {
  int experts = 0, topK = 0;
  std::int64_t tokens = 0;
  std::vector<std::int64_t> chosen;         ///< [experts] N_i
  std::vector<std::int64_t> all, adjacent;  ///< [experts, experts] N_ij, symmetric, diagonal 0

  [[nodiscard]] const std::vector<std::int64_t>& pairs(PairKind kind) const {
    return kind == PairKind::AllPairs ? all : adjacent;
  }
};

/// Adds up rows of choices; fast where rows are full. One object a thread.
class CoActivationCounter {
 public:
  CoActivationCounter(int experts, int topK);
  /// `ids` [rows, width] in selection order, kEmptySlot = none.
  void add(std::span<const std::uint16_t> ids, int width);
  [[nodiscard]] CoActivationCounts counts() const;

 private:
  void addRow(std::span<const std::uint16_t> row);
  void settle();

  int m_experts, m_topK;
  std::int64_t m_tokens = 0, m_unsettled = 0;
  std::vector<std::uint32_t> m_recentAll, m_recentAdjacent,
      m_recentChosen;  // [better, worse]; 32 bits for speed
  std::vector<std::int64_t> m_all, m_adjacent, m_chosen;
};

/// All tokens of the run. Errors: `cancelled`.
Result<CoActivationCounts> coActivationCounts(const trace::TraceStore& store, const AnalysedRun& run,
                                              int router, std::stop_token stop);

/// CoAct(i -> j) = N_ij / N_i, [experts, experts]; NaN on the diagonal and in the row of a dead expert.
std::vector<double> coActivation(const CoActivationCounts& counts, PairKind kind);

/// With even random choices: (K - 1) / (M - 1), for adjacent ranks 2 (K - 1) / K / (M - 1).
double coActivationChance(PairKind kind, int experts, int topK);

struct ExpertPair {
  int from = 0, to = 0;
  std::int64_t both = 0, chosen = 0;  ///< N_ij, N_i
  double value = 0.0;                 ///< N_ij / N_i
  Interval interval{};                ///< NaN until pairIntervals()
};

/// By value, both counts descending, then indices. Each unordered pair once, in its stronger direction.
std::vector<ExpertPair> strongestPairs(const CoActivationCounts& counts, PairKind kind, int most);

/// Percentile intervals by resampling units; `unitOfToken` [rows of the run]. Errors: `cancelled`.
Result<void> pairIntervals(const trace::TraceStore& store, const AnalysedRun& run, int router, PairKind kind,
                           std::span<const std::int32_t> unitOfToken, const TextDraws& draws,
                           std::vector<ExpertPair>& pairs, std::stop_token stop);

}  // namespace moescope::analysis
