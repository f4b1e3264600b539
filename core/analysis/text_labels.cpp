#include "core/analysis/text_labels.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace moescope::analysis {

namespace {

constexpr std::string_view kCorpus = "corpus";
constexpr const char* kUsualKey = "label";

std::string keyOf(const AnalysedRun& run, const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  std::string first;
  for (const auto& sequence : run.sequences) {
    for (const auto& [key, value] : sequence.labels) {
      if (key == kUsualKey) return key;
      if (first.empty()) first = key;
    }
  }
  return first;
}

}  // namespace

std::string labelValue(const trace::SequenceRecord& sequence, const std::string& key) {
  for (const auto& [known, value] : sequence.labels) {
    if (known == key) return value;
  }
  return "";
}

std::vector<int> TextLabels::textsOf(int label) const {
  std::vector<int> out;
  for (std::size_t s = 0; s < labelOf.size(); ++s) {
    if (labelOf[s] == label) out.push_back(static_cast<int>(s));
  }
  return out;
}

Result<TextLabels> textLabels(const trace::TraceStore& store, const AnalysedRun& run,
                              const std::string& text) {
  const bool hasKey = text.starts_with("corpus:") && text.size() > kCorpus.size() + 1;
  if (text != kCorpus && !hasKey) {
    return fail("analysis.bad_param", "", "labels", fmt::format("labels cannot be “{}”", text),
                "give corpus or corpus:KEY");
  }
  const std::string key = keyOf(run, hasKey ? text.substr(kCorpus.size() + 1) : "");
  TextLabels out;
  std::set<std::string> names;
  int unlabelled = 0, unfinished = 0;
  const auto counts = [&](const trace::SequenceRecord& sequence) {
    return sequence.complete && sequence.length > 0 && !labelValue(sequence, key).empty();
  };
  for (const auto& sequence : run.sequences) {
    if (labelValue(sequence, key).empty())
      ++unlabelled;
    else if (!counts(sequence))
      ++unfinished;
    else
      names.insert(labelValue(sequence, key));
  }
  if (names.size() < 2) {
    return fail("analysis.one_label", store.path().string(), fmt::format("run {}", run.record.id),
                names.empty() ? fmt::format("no finished text has the label key “{}”", key)
                              : fmt::format("all texts have the same label “{}”", *names.begin()),
                "record a corpus with two labels or more");
  }
  out.names.assign(names.begin(), names.end());
  for (const auto& sequence : run.sequences) {
    const auto found = std::ranges::find(out.names, labelValue(sequence, key));
    out.labelOf.push_back(counts(sequence) ? static_cast<int>(found - out.names.begin()) : -1);
  }
  if (unlabelled > 0) out.notes.push_back(fmt::format("{} texts without a label are left out", unlabelled));
  if (unfinished > 0)
    out.notes.push_back(fmt::format("{} unfinished or empty texts are left out", unfinished));
  return out;
}

}  // namespace moescope::analysis
