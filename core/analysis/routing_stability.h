// Routing stability: the choices of runs of the same texts side by side, as a series of checkpoints gives
// them. Not for what two single choices have in common (routing_agreement.h).
#pragma once

#include <span>
#include <stop_token>
#include <vector>

#include "core/analysis/analysed_run.h"
#include "core/analysis/bootstrap.h"
#include "core/analysis/routing_agreement.h"

namespace moescope::analysis {

/// Runs that can be compared token by token. Errors: `analysis.too_few_runs` (fewer than two),
/// `analysis.different_routers` (layers, experts or k), `analysis.different_tokens` (the first row that
/// differs), `analysis.no_texts`, `analysis.not_recorded`, `cancelled`.
Result<std::vector<AnalysedRun>> comparableRuns(const trace::TraceStore& store,
                                                const std::vector<trace::RunId>& runs, std::stop_token stop);

/// One router over a series, by unit of resampling.
struct RouterStability {
  int experts = 0, topK = 0, units = 0;
  std::vector<std::vector<AgreementSums>> toLast;      ///< [runs][units]; the last run's is with itself
  std::vector<std::vector<AgreementSums>> toPrevious;  ///< [runs][units]; the first run's is empty
  std::vector<std::vector<double>> loads;              ///< [runs][units x experts] choices
  /// [runs][units] tokens whose first choice changed last between run r - 1 and run r; at 0: never.
  std::vector<std::vector<double>> lastChanges;
};

/// Rows that are routed in every run. `unitOfToken` [rows]. Errors: `cancelled`.
Result<RouterStability> routerStability(const trace::TraceStore& store, std::span<const AnalysedRun> runs,
                                        int router, std::span<const std::int32_t> unitOfToken, int units,
                                        std::stop_token stop);

/// Weighted sum over units; `multiplicity` empty: each once.
AgreementSums weightedSums(std::span<const AgreementSums> units, std::span<const std::uint16_t> multiplicity);

/// Load of one run, [experts].
std::vector<double> weightedLoad(const RouterStability& stability, std::size_t run,
                                 std::span<const std::uint16_t> multiplicity);

/// StableMoE's routing fluctuation (arXiv:2204.08396): share of tokens whose last change of the first choice
/// comes later than each of `places` of training. `progress` [runs] in [0, 1], ascending: where each
/// checkpoint stands; a change is dated to the first checkpoint that shows it.
std::vector<double> lateChanges(const RouterStability& stability, std::span<const double> progress,
                                std::span<const double> places, std::span<const std::uint16_t> multiplicity);

}  // namespace moescope::analysis
