#include "core/analysis/load_measure.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace moescope::analysis {

namespace {

using enum LoadMeasure;

constexpr std::array<LoadMeasureInfo, 13> kMeasures{{
    {MaxVio, "max-vio", "MaxVio", "(largest count − mean) ÷ mean", "", 2},
    {PeakFactor, "peak-factor", "Peak factor", "largest count ÷ mean", "", 2},
    {MinFactor, "min-factor", "Min factor", "smallest count ÷ mean", "", 2},
    {Mri, "mri", "MRI", "largest selection frequency f: choices of one expert ÷ tokens", "", 3},
    {Cv, "cv", "CV", "standard deviation of the counts ÷ mean", "", 2},
    {Gini, "gini", "Gini", "Gini coefficient of the counts", "", 3},
    {NormalizedEntropy, "entropy", "Entropy ÷ maximum", "entropy of the load shares m ÷ log of the experts",
     "", 3},
    {EffectiveExperts, "effective-experts", "Effective experts", "exp of the entropy of the load shares m",
     "experts", 1},
    {InverseSimpson, "inverse-simpson", "Inverse Simpson", "1 ÷ sum of squared load shares m", "experts", 1},
    {KlToUniform, "kl", "KL to uniform", "log of the experts − entropy of the load shares m", "nat", 3},
    {L1ToUniform, "l1", "L1 to uniform", "sum of |m − 1/M|", "", 3},
    {DeadExperts, "dead", "Never chosen", "experts without a choice", "experts", 2},
    {NearlyDeadExperts, "nearly-dead", "Chosen under 1 % of mean",
     "experts with less than 0.01 of the mean count", "experts", 2},
}};

}  // namespace

std::span<const LoadMeasureInfo> loadMeasures() { return kMeasures; }

const LoadMeasureInfo& infoOf(LoadMeasure measure) { return kMeasures[static_cast<std::size_t>(measure)]; }

std::optional<LoadMeasure> loadMeasureFrom(std::string_view id) {
  const auto found = std::ranges::find(kMeasures, id, &LoadMeasureInfo::id);
  if (found == kMeasures.end()) return std::nullopt;
  return found->measure;
}

double valueOf(const LoadMetrics& metrics, LoadMeasure measure) {
  switch (measure) {
    case MaxVio: return metrics.maxVio;
    case PeakFactor: return metrics.peakFactor;
    case MinFactor: return metrics.minFactor;
    case Mri: return metrics.mri;
    case Cv: return metrics.cv;
    case Gini: return metrics.gini;
    case NormalizedEntropy: return metrics.normalizedEntropy;
    case EffectiveExperts: return metrics.effectiveExperts;
    case InverseSimpson: return metrics.inverseSimpson;
    case KlToUniform: return metrics.klToUniform;
    case L1ToUniform: return metrics.l1ToUniform;
    case DeadExperts: return metrics.deadExperts;
    case NearlyDeadExperts: return metrics.nearlyDeadExperts;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

double uniformValue(LoadMeasure measure, int experts, int topK) {
  switch (measure) {
    case PeakFactor:
    case MinFactor:
    case NormalizedEntropy: return 1.0;
    case Mri: return experts > 0 ? static_cast<double>(topK) / experts : 0.0;
    case EffectiveExperts:
    case InverseSimpson: return experts;
    case MaxVio:
    case Cv:
    case Gini:
    case KlToUniform:
    case L1ToUniform:
    case DeadExperts:
    case NearlyDeadExperts: return 0.0;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

double cvOfRandomRouting(int experts, int topK, double tokens) {
  if (experts <= 0 || topK <= 0 || tokens <= 0.0) return std::numeric_limits<double>::quiet_NaN();
  return std::sqrt(std::max(0, experts - topK) / (tokens * topK));
}

}  // namespace moescope::analysis
