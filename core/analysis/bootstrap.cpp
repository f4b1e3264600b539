#include "core/analysis/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <unordered_map>

#include <fmt/format.h>

namespace moescope::analysis {

namespace {

/// Uniform below `bound` without bias, the same on every machine: values of the last, incomplete round of
/// the generator's range are thrown away.
std::uint64_t below(std::mt19937_64& random, std::uint64_t bound) {
  const std::uint64_t limit = std::numeric_limits<std::uint64_t>::max() / bound * bound;
  std::uint64_t value = random();
  while (value >= limit) value = random();
  return value % bound;
}

/// quantile() of values in any order, which it changes: a selection costs a fraction of sorting.
double selectedQuantile(std::vector<double>& values, double probability) {
  if (values.size() < 2) return quantile(values, probability);
  const auto place =
      static_cast<std::ptrdiff_t>(std::floor(probability * static_cast<double>(values.size() - 1)));
  const auto at = values.begin() + std::min(place, std::ssize(values) - 2);
  std::nth_element(values.begin(), at, values.end());
  // quantile() looks at two neighbours in the order only; what lies around them need not be sorted.
  std::iter_swap(at + 1, std::min_element(at + 1, values.end()));
  return quantile(values, probability);
}

}  // namespace

std::string ResamplingUnits::description() const {
  return windows ? fmt::format("{} windows of {} text{}", units, texts, texts == 1 ? "" : "s")
                 : fmt::format("{} text{}", units, units == 1 ? "" : "s");
}

ResamplingUnits resamplingUnits(std::span<const trace::SequenceRecord> sequences) {
  ResamplingUnits out;
  std::unordered_map<std::string, int> known;
  for (const trace::SequenceRecord& sequence : sequences) {
    // A sequence without a hash is a text of its own.
    const auto found = sequence.textHash.empty() ? known.end() : known.find(sequence.textHash);
    const int text = found == known.end() ? out.texts++ : found->second;
    if (!sequence.textHash.empty()) known.emplace(sequence.textHash, text);
    out.unitOf.push_back(text);
  }
  out.units = out.texts;
  if (out.texts<kFewTexts&& static_cast<int>(sequences.size())> out.texts) {
    out.windows = true;
    out.units = static_cast<int>(sequences.size());
    for (int s = 0; s < out.units; ++s) out.unitOf[static_cast<std::size_t>(s)] = s;
  }
  return out;
}

TextDraws::TextDraws(int texts, int draws, std::uint64_t seed)
    : m_texts(texts),
      m_draws(texts > 0 ? draws : 0),
      m_multiplicities(static_cast<std::size_t>(texts) * static_cast<std::size_t>(m_draws)) {
  std::mt19937_64 random(seed);
  for (int draw = 0; draw < m_draws; ++draw) {
    std::uint16_t* row =
        m_multiplicities.data() + static_cast<std::size_t>(draw) * static_cast<std::size_t>(texts);
    for (int i = 0; i < texts; ++i) ++row[below(random, static_cast<std::uint64_t>(texts))];
  }
}

TextDraws::TextDraws(int texts, std::vector<std::uint16_t> multiplicities)
    : m_texts(texts),
      m_draws(texts > 0 ? static_cast<int>(multiplicities.size()) / texts : 0),
      m_multiplicities(std::move(multiplicities)) {}

std::span<const std::uint16_t> TextDraws::draw(int index) const {
  const auto texts = static_cast<std::size_t>(m_texts);
  return std::span(m_multiplicities).subspan(static_cast<std::size_t>(index) * texts, texts);
}

double quantile(std::span<const double> ascending, double probability) {
  if (ascending.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double place = probability * static_cast<double>(ascending.size() - 1);
  const auto index = static_cast<std::size_t>(std::floor(place));
  if (index + 1 >= ascending.size()) return ascending.back();
  return ascending[index] + (place - static_cast<double>(index)) * (ascending[index + 1] - ascending[index]);
}

BootstrapInterval bootstrapInterval(double estimate, std::span<const double> replicates, double level) {
  std::vector<double> finite;
  finite.reserve(replicates.size());
  std::ranges::copy_if(replicates, std::back_inserter(finite), [](double v) { return std::isfinite(v); });
  const double tail = (1.0 - level) / 2.0;
  const double low = selectedQuantile(finite, tail);
  const double high = selectedQuantile(finite, 1.0 - tail);
  return {{low, high},
          {2.0 * estimate - high, 2.0 * estimate - low},
          static_cast<int>(replicates.size() - finite.size())};
}

}  // namespace moescope::analysis
