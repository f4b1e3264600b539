#include "core/analysis/label_information.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "core/analysis/divergence.h"
#include "core/analysis/routed_tokens.h"
#include "core/analysis/shuffle.h"

namespace moescope::analysis {

namespace {

double occurring(std::span<const double> counts) {
  return static_cast<double>(std::ranges::count_if(counts, [](double n) { return n > 0.0; }));
}

}  // namespace

LabelInformation labelInformation(const LabelTotals& totals) {
  const auto experts = static_cast<std::size_t>(totals.experts);
  std::vector<double> mixture(experts, 0.0);
  double within = 0.0, withinBias = 0.0, inverseSamples = 0.0;
  LabelInformation out;
  for (int label = 0; label < totals.labels; ++label) {
    const auto counts = std::span(totals.counts).subspan(static_cast<std::size_t>(label) * experts, experts);
    const double samples = std::accumulate(counts.begin(), counts.end(), 0.0);
    if (samples <= 0.0) continue;
    ++out.labels;
    for (std::size_t e = 0; e < experts; ++e) mixture[e] += counts[e] / samples;
    within += entropy(counts);
    withinBias += (occurring(counts) - 1.0) / (2.0 * samples);
    inverseSamples += 1.0 / samples;
  }
  if (out.labels < 2) {
    out.plugIn = out.millerMadow = std::numeric_limits<double>::quiet_NaN();
    return out;
  }
  const double labels = out.labels;
  const double plugIn = std::max(entropy(mixture) - within / labels, 0.0);
  const double mixtureSamples = labels * labels / inverseSamples;
  const double correction = (occurring(mixture) - 1.0) / (2.0 * mixtureSamples) - withinBias / labels;
  out.plugIn = plugIn / std::numbers::ln2;
  out.millerMadow = (plugIn + correction) / std::numbers::ln2;
  out.most = std::log2(labels);
  return out;
}

std::vector<double> shuffledInformation(const LabelCounts& counts, int shuffles, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  LabelCounts shuffled = counts;
  std::vector<double> out;
  for (int s = 0; s < shuffles; ++s) {
    shuffle(std::span(shuffled.labelOf), random);
    out.push_back(labelInformation(labelTotals(shuffled)).plugIn);
  }
  return out;
}

Result<std::vector<double>> shuffledTokenInformation(const trace::TraceStore& store, const AnalysedRun& run,
                                                     int router, const LabelUnits& units, int choices,
                                                     int shuffles, std::uint64_t seed, std::stop_token stop) {
  const std::int64_t rows = static_cast<std::int64_t>(units.entryOfToken.size());
  std::vector<std::int64_t> blocks(
      static_cast<std::size_t>((rows + trace::kBlockTokens - 1) / trace::kBlockTokens));
  std::iota(blocks.begin(), blocks.end(), 0);
  std::mt19937_64 random(seed);
  std::vector<std::vector<std::int64_t>> orders;
  for (int s = 0; s < shuffles; ++s) {
    shuffle(std::span(blocks), random);
    orders.push_back(blocks);
  }
  const auto experts = static_cast<std::size_t>(run.routers[static_cast<std::size_t>(router)].experts);
  LabelTotals empty{static_cast<int>(units.labels.size()), static_cast<int>(experts), {}, {}};
  empty.tokens.assign(units.labels.size(), 0.0);
  empty.counts.assign(units.labels.size() * experts, 0.0);
  std::vector<LabelTotals> totals(static_cast<std::size_t>(shuffles), empty);
  const auto visited =
      forEachRoutedBlock(store, run.record.id, router, {0, rows}, {}, stop, [&](const RoutedBlock& block) {
        for (std::size_t s = 0; s < orders.size(); ++s) {
          const std::int64_t other =
              orders[s][static_cast<std::size_t>(block.first / trace::kBlockTokens)] * trace::kBlockTokens;
          for (int row = block.begin; row < block.end; ++row) {
            if (other + row >= rows) break;  // the last block is shorter
            const std::int32_t entry = units.entryOfToken[static_cast<std::size_t>(other + row)];
            if (entry < 0) continue;
            const auto label = static_cast<std::size_t>(units.entries[static_cast<std::size_t>(entry)].label);
            const auto ids = block.ids(row);
            for (const std::uint16_t id : choices == 1 ? ids.first(1) : ids)
              if (id < experts) totals[s].counts[label * experts + id] += 1.0;
          }
        }
      });
  if (!visited) return fail(visited.error());
  std::vector<double> out;
  out.reserve(totals.size());
  for (const LabelTotals& each : totals) out.push_back(labelInformation(each).plugIn);
  return out;
}

}  // namespace moescope::analysis
