#include "plugins/languages/language_rows.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace moescope::languages {

using namespace analysis;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

template <class Value>
std::vector<double> divided(const std::vector<Value>& values, std::int64_t tokens) {
  std::vector<double> out;
  out.reserve(values.size());
  for (const Value value : values)
    out.push_back(tokens > 0 ? static_cast<double>(value) / static_cast<double>(tokens) : kNan);
  return out;
}

}  // namespace

Result<LanguageRows> languageRows(const trace::TraceStore& store, const AnalysedRun& run, int router,
                                  std::stop_token stop) {
  const auto experts = static_cast<std::size_t>(run.routers[static_cast<std::size_t>(router)].experts);
  LanguageRows out;
  for (const trace::SequenceRecord& sequence : run.sequences) {
    if (stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
    const auto stats = store.sequenceStats(run.record.id, router, sequence.ordinal);
    if (!stats || stats->counts.size() != experts || stats->probabilitySum.size() != experts) {
      out.probabilities.emplace_back(experts, kNan);
      out.rates.emplace_back(experts, kNan);
      out.tokens.push_back(0.0);
      out.entropies.push_back(kNan);
      continue;
    }
    out.probabilities.push_back(divided(stats->probabilitySum, stats->logitTokens));
    out.rates.push_back(divided(stats->counts, stats->tokens));
    out.tokens.push_back(static_cast<double>(stats->tokens));
    out.entropies.push_back(
        stats->logitTokens > 0 ? stats->entropySum / static_cast<double>(stats->logitTokens) : kNan);
  }
  return out;
}

LabelDraws::LabelDraws(const std::vector<trace::SequenceRecord>& sequences, const std::vector<int>& texts,
                       int draws, std::uint64_t seed)
    : m_units(resamplingUnits(chosen(sequences, texts))),
      m_draws(m_units.units, m_units.units > 1 ? draws : 0, seed) {}

std::vector<std::uint16_t> LabelDraws::times(int draw) const {
  const auto drawn = m_draws.draw(draw);
  std::vector<std::uint16_t> out;
  for (const int unit : m_units.unitOf) out.push_back(drawn[static_cast<std::size_t>(unit)]);
  return out;
}

std::vector<LabelDraws> labelDraws(const AnalysedRun& run, const TextLabels& labels, int draws,
                                   std::uint64_t seed) {
  std::vector<LabelDraws> out;
  for (std::size_t label = 0; label < labels.names.size(); ++label)
    out.emplace_back(run.sequences, labels.textsOf(static_cast<int>(label)), draws, seed + label);
  return out;
}

std::string labelIntervalText(const std::vector<LabelDraws>& draws, std::string_view kind) {
  const auto most = std::ranges::max(draws, {}, &LabelDraws::draws).draws();
  if (most == 0) return "none: no draws were asked for, or every label has one text only";
  return fmt::format("95 % ({}), bootstrap of {} over texts, each label by itself", kind, most);
}

void addFewTextNotes(const TextLabels& labels, const std::vector<LabelDraws>& draws,
                     std::vector<std::string>& notes) {
  for (std::size_t label = 0; label < draws.size(); ++label) {
    const ResamplingUnits& units = draws[label].units();
    if (units.units < 2)
      notes.push_back(fmt::format("“{}” has one text: no interval", labels.names[label]));
    else if (units.windows)
      notes.push_back(fmt::format("“{}” has few texts: what is resampled is {}", labels.names[label],
                                  units.description()));
    else if (units.texts < kFewTexts)
      notes.push_back(
          fmt::format("“{}” has {} texts only: its intervals are rough", labels.names[label], units.texts));
  }
}

}  // namespace moescope::languages
