#include "core/analysis/label_units.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "core/analysis/text_units.h"

namespace moescope::analysis {

namespace {

/// Calls visit(row, tokens, row in the block) for every row of the run; false if stopped.
template <class Visit>
bool forEachToken(const trace::TraceStore& store, const AnalysedRun& run, const std::stop_token& stop,
                  const Visit& visit) {
  for (std::int64_t first = 0; first < run.record.tokens; first += trace::kBlockTokens) {
    if (stop.stop_requested()) return false;
    const auto tokens = store.tokenBlock(run.record.id, first / trace::kBlockTokens);
    if (!tokens || tokens->damaged) continue;
    const int count = static_cast<int>(std::min<std::int64_t>(tokens->count, run.record.tokens - first));
    for (int row = 0; row < count; ++row) {
      if (auto done = visit(first + row, *tokens, static_cast<std::size_t>(row)); !done) return false;
    }
  }
  return true;
}

tl::unexpected<Error> cancelled() { return fail("cancelled", "", "", "cancelled"); }

tl::unexpected<Error> oneLabel(const trace::TraceStore& store, const AnalysedRun& run, std::string message) {
  return fail("analysis.one_label", store.path().string(), fmt::format("run {}", run.record.id),
              std::move(message),
              "record a corpus with two labels or more, or label tokens with regex:NAME=EXPRESSION");
}

std::string keyOf(const AnalysedRun& run, const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  std::string first;
  for (const auto& sequence : run.sequences) {
    for (const auto& [key, value] : sequence.labels) {
      if (key == "label") return key;
      if (first.empty()) first = key;
    }
  }
  return first;
}

/// Sequences by the value of the key.
std::map<std::string, std::vector<trace::SequenceRecord>> sequencesByLabel(const AnalysedRun& run,
                                                                           const std::string& key,
                                                                           LabelUnits& out) {
  std::map<std::string, std::vector<trace::SequenceRecord>> byLabel;
  int unlabelled = 0, unfinished = 0, empty = 0;
  for (const auto& sequence : run.sequences) {
    const auto found = std::ranges::find(sequence.labels, key, &std::pair<std::string, std::string>::first);
    if (found == sequence.labels.end()) {
      ++unlabelled;
    } else if (!sequence.complete) {
      ++unfinished;
    } else if (sequence.length == 0) {
      ++empty;
    } else {
      byLabel[found->second].push_back(sequence);
    }
  }
  if (unlabelled > 0) out.notes.push_back(fmt::format("{} texts without a label are left out", unlabelled));
  if (unfinished > 0) out.notes.push_back(fmt::format("{} unfinished texts are left out", unfinished));
  if (empty > 0) out.notes.push_back(fmt::format("{} empty texts are left out", empty));
  return byLabel;
}

void noteFewTexts(const std::string& label, const std::string& description, bool windows, LabelUnits& out) {
  if (windows)
    out.notes.push_back(fmt::format("“{}” has few texts: what is resampled is {}", label, description));
}

Result<LabelUnits> corpusUnits(const trace::TraceStore& store, const AnalysedRun& run,
                               const LabelSource& source, bool byToken, const std::stop_token& stop) {
  LabelUnits out;
  const std::string key = keyOf(run, source.key);
  const auto byLabel = sequencesByLabel(run, key, out);
  if (byLabel.size() < 2) {
    return oneLabel(store, run,
                    byLabel.empty()
                        ? "no text has a label to compare by"
                        : fmt::format("all texts have the same label “{}”", byLabel.begin()->first));
  }
  std::unordered_map<std::int32_t, int> entryOfSequence;  // the entry of its first window
  std::unordered_map<std::int32_t, bool> isCut;
  int firstUnit = 0;
  bool cutAny = false;
  for (const auto& [label, sequences] : byLabel) {
    const int index = static_cast<int>(out.labels.size());
    out.labels.push_back(label);
    const TextUnits units = textUnits(sequences);
    const bool fewTexts = resamplingUnits(sequences).texts < kFewTexts;
    noteFewTexts(label, units.description, fewTexts, out);
    cutAny = cutAny || units.cut;
    for (std::size_t s = 0; s < sequences.size(); ++s) {
      entryOfSequence[sequences[s].ordinal] = static_cast<int>(out.entries.size());
      isCut[sequences[s].ordinal] = units.cut;
      if (!units.cut) {
        out.entries.push_back({firstUnit + units.first[s], index, byToken ? -1 : sequences[s].ordinal});
        continue;
      }
      const int end = s + 1 < sequences.size() ? units.first[s + 1] : units.units;
      for (int unit = units.first[s]; unit < end; ++unit)
        out.entries.push_back({firstUnit + unit, index, -1});
    }
    out.strata.push_back(units.units);
    out.resampled.push_back(units.description);
    firstUnit += units.units;
  }
  if (!byToken && !cutAny) return out;
  out.entryOfToken.assign(static_cast<std::size_t>(run.record.tokens), -1);
  const bool done = forEachToken(store, run, stop, [&](std::int64_t row, const auto& tokens, std::size_t r) {
    const auto found = entryOfSequence.find(tokens.sequences[r]);
    if (found == entryOfSequence.end()) return true;
    const bool cut = isCut[tokens.sequences[r]];
    if (!cut && !byToken) return true;  // its sums are in the trace
    out.entryOfToken[static_cast<std::size_t>(row)] =
        found->second + (cut ? tokens.positions[r] / kWindowTokens : 0);
    return true;
  });
  if (!done) return cancelled();
  return out;
}

/// The label of each row: expressions are tried once a token id.
class TokenLabeller {
 public:
  TokenLabeller(const trace::TraceStore& store, const AnalysedRun& run, const LabelSource& source)
      : m_store(store), m_run(run.record.id), m_source(source) {}

  Result<int> label(std::int64_t row, std::int32_t id, std::int32_t position) {
    if (m_source.kind == LabelSource::Kind::Positions) {
      if (position / m_source.width < kMostLabels) return position / m_source.width;
      return fail("analysis.bad_param", "", "labels",
                  fmt::format("there are more than {} bins of positions", kMostLabels), "choose wider bins");
    }
    const int other = static_cast<int>(m_source.labels.size());
    if (m_source.kind == LabelSource::Kind::Tokens) {
      for (int l = 0; l < other; ++l) {
        for (const auto& range : m_source.labels[static_cast<std::size_t>(l)].ranges)
          if (row >= range.begin && row < range.end) return l;
      }
      return other;
    }
    if (const auto known = m_known.find(id); known != m_known.end()) return known->second;
    const std::string bytes = m_store.tokenBytes(m_run, id);
    int found = other;
    for (int l = 0; l < other && found == other; ++l) {
      const auto matches = m_source.labels[static_cast<std::size_t>(l)].pattern.matches(bytes);
      if (!matches) return fail(matches.error());
      if (*matches) found = l;
    }
    m_known[id] = found;
    return found;
  }

 private:
  const trace::TraceStore& m_store;
  trace::RunId m_run;
  const LabelSource& m_source;
  std::unordered_map<std::int32_t, int> m_known;
};

std::vector<std::string> tokenLabelNames(const AnalysedRun& run, const LabelSource& source) {
  std::vector<std::string> names;
  if (source.kind != LabelSource::Kind::Positions) {
    for (const auto& label : source.labels) names.push_back(label.name);
    names.emplace_back(kOtherLabel);
    return names;
  }
  std::int64_t longest = 0;
  for (const auto& sequence : run.sequences) longest = std::max(longest, sequence.length);
  for (std::int64_t first = 0; first < longest && names.size() < kMostLabels; first += source.width)
    names.push_back(fmt::format("{}–{}", first, std::min(first + source.width, longest) - 1));
  return names;
}

Result<LabelUnits> tokenUnits(const trace::TraceStore& store, const AnalysedRun& run,
                              const LabelSource& source, const std::stop_token& stop) {
  LabelUnits out;
  out.perText = false;
  out.labels = tokenLabelNames(run, source);
  const TextUnits units = textUnits(run.sequences);
  out.strata = {units.units};
  out.resampled = {units.description};
  if (resamplingUnits(run.sequences).texts < kFewTexts)
    out.notes.push_back(fmt::format("the run has few texts: what is resampled is {}", units.description));
  std::unordered_map<std::int32_t, std::size_t> indexOf;
  for (std::size_t s = 0; s < run.sequences.size(); ++s) indexOf[run.sequences[s].ordinal] = s;

  const std::size_t labels = out.labels.size();
  std::unordered_map<std::int64_t, int> entryOf;
  std::vector<bool> occurs(labels, false);
  out.entryOfToken.assign(static_cast<std::size_t>(run.record.tokens), -1);
  TokenLabeller labeller(store, run, source);
  std::optional<Error> problem;
  const bool done = forEachToken(store, run, stop, [&](std::int64_t row, const auto& tokens, std::size_t r) {
    const auto sequence = indexOf.find(tokens.sequences[r]);
    if (sequence == indexOf.end()) return true;
    const auto label = labeller.label(row, tokens.ids[r], tokens.positions[r]);
    if (!label) {
      problem = label.error();
      return false;
    }
    if (static_cast<std::size_t>(*label) >= labels) return true;  // beyond what the sequence says it holds
    occurs[static_cast<std::size_t>(*label)] = true;
    const int unit = std::min(units.unitOf(sequence->second, tokens.positions[r]), units.units - 1);
    const std::int64_t key = static_cast<std::int64_t>(unit) * static_cast<std::int64_t>(labels) + *label;
    const auto [entry, isNew] = entryOf.try_emplace(key, static_cast<int>(out.entries.size()));
    if (isNew) out.entries.push_back({unit, *label, -1});
    out.entryOfToken[static_cast<std::size_t>(row)] = entry->second;
    return true;
  });
  if (problem) return fail(*problem);
  if (!done) return cancelled();
  if (std::ranges::count(occurs, true) < 2) return oneLabel(store, run, "all tokens get the same label");
  for (std::size_t l = 0; l < labels; ++l)
    if (!occurs[l]) out.notes.push_back(fmt::format("no token is “{}”", out.labels[l]));
  return out;
}

}  // namespace

Result<LabelUnits> labelUnits(const trace::TraceStore& store, const AnalysedRun& run,
                              const LabelSource& source, bool byToken, std::stop_token stop) {
  return source.perText() ? corpusUnits(store, run, source, byToken, stop)
                          : tokenUnits(store, run, source, stop);
}

}  // namespace moescope::analysis
