// Which runs of a trace an analysis looks at.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "core/plugin/analysis_runner.h"

namespace moescope::plugin {

namespace {

using analysis::AnalysisInfo;
using analysis::AnalysisScope;
using trace::RunId;
using trace::RunRecord;

std::optional<std::int64_t> number(const std::string& word) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

Result<void> checkCapture(const RunRecord& run, const AnalysisInfo& info, const std::string& file) {
  if (run.capture >= info.needs && (run.routedTokens > 0 || info.scope == AnalysisScope::Checkpoint))
    return {};
  if (run.capture >= info.needs) {
    return fail("analysis.not_recorded", file, fmt::format("run {}", run.id), "the run has no routing",
                "choose another run");
  }
  return fail("analysis.not_recorded", file, fmt::format("run {}", run.id),
              fmt::format("{} needs capture {}, the run was recorded with {}", info.label, name(info.needs),
                          name(run.capture)),
              fmt::format("record it again with --capture {}", name(info.needs)));
}

/// The newest of several runs of one name.
Result<RunId> oneRun(const trace::TraceStore& store, const AnalysisInfo& info, const std::string& word) {
  const std::string file = store.path().string();
  const auto runs = store.runs();
  const auto wanted = number(word);
  const auto inSeries = trace::runsOfSeries(store);
  const RunRecord* found = nullptr;
  for (const RunRecord& run : runs) {
    const bool fits = word.empty() ? checkCapture(run, info, file).has_value() : run.name == word;
    const bool isWorse =
        word.empty() && found != nullptr && inSeries.contains(run.id) && !inSeries.contains(found->id);
    if (fits && !isWorse) found = &run;
  }
  for (const RunRecord& run : runs) {
    if (wanted && run.id == *wanted) found = &run;
  }
  if (found == nullptr && !word.empty()) {
    return fail("analysis.no_such_run", file, word, "the trace has no such run",
                "see moescope inspect for its runs");
  }
  if (found == nullptr) {
    return fail("analysis.not_recorded", file, "",
                fmt::format("no run has routing with capture {} or more, which {} needs", name(info.needs),
                            info.label),
                fmt::format("record one with --capture {}", name(info.needs)));
  }
  if (auto fits = checkCapture(*found, info, file); !fits) return fail(fits.error());
  return found->id;
}

/// The same layers, experts and top-k; biases may be trained.
bool sameShape(const std::vector<RouterSpec>& a, const std::vector<RouterSpec>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const RouterSpec& x, const RouterSpec& y) {
    return x.layer == y.layer && x.kind == y.kind && x.experts == y.experts && x.topK == y.topK;
  });
}

Result<std::vector<RunId>> checkSeries(const trace::TraceStore& store, const AnalysisInfo& info,
                                       std::vector<RunRecord> runs) {
  const std::string file = store.path().string();
  if (runs.size() < 2) {
    return fail("analysis.bad_series", file, "",
                fmt::format("a series needs two checkpoints, this one has {}", runs.size()),
                "record more with moescope series");
  }
  std::stable_sort(runs.begin(), runs.end(),
                   [](const RunRecord& a, const RunRecord& b) { return a.trainStep < b.trainStep; });
  const auto routers = store.routers(runs.front().id);
  std::vector<RunId> ids;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::string where = fmt::format("run {}", runs[i].id);
    if (!runs[i].trainStep) {
      return fail("analysis.bad_series", file, where, "the run has no training step",
                  "leave it out of the series");
    }
    if (i > 0 && runs[i].trainStep == runs[i - 1].trainStep) {
      return fail("analysis.bad_series", file, where,
                  fmt::format("has the same training step as run {}, {}", runs[i - 1].id, *runs[i].trainStep),
                  "delete one of the two");
    }
    if (!sameShape(routers, store.routers(runs[i].id))) {
      return fail("analysis.bad_series", file, where,
                  fmt::format("is of another model than run {}", runs.front().id),
                  "leave it out of the series");
    }
    if (auto fits = checkCapture(runs[i], info, file); !fits) return fail(fits.error());
    ids.push_back(runs[i].id);
  }
  return ids;
}

/// Without a series all runs that have a training step.
Result<std::vector<RunId>> seriesRuns(const trace::TraceStore& store, const AnalysisInfo& info,
                                      const std::string& word) {
  const auto all = store.allSeries();
  const trace::SeriesRecord* found = chosenSeries(all, word);
  if (found == nullptr && !word.empty()) {
    return fail("analysis.no_such_series", store.path().string(), word, "the trace has no such series",
                "see moescope inspect for its series");
  }
  auto runs = store.runs();
  std::erase_if(runs, [&](const RunRecord& run) {
    return found == nullptr ? !run.trainStep
                            : std::find(found->runs.begin(), found->runs.end(), run.id) == found->runs.end();
  });
  return checkSeries(store, info, std::move(runs));
}

}  // namespace

const trace::SeriesRecord* chosenSeries(std::span<const trace::SeriesRecord> all, const std::string& word) {
  const auto wanted = number(word);
  const trace::SeriesRecord* found = word.empty() && !all.empty() ? &all.back() : nullptr;
  for (const trace::SeriesRecord& series : all) {
    if (!word.empty() && series.name == word) found = &series;
  }
  for (const trace::SeriesRecord& series : all) {
    if (wanted && series.id == *wanted) found = &series;
  }
  return found;
}

Result<std::vector<RunId>> chosenRuns(const trace::TraceStore& store, const AnalysisInfo& info,
                                      const AnalysisRequest& request) {
  const bool isSeries = info.scope == AnalysisScope::Series;
  if (isSeries ? !request.run.empty() : !request.series.empty()) {
    return fail("analysis.bad_request", "", info.id,
                isSeries ? "this analysis is of a series, not of one run"
                         : "this analysis is of one run, not of a series",
                isSeries ? "give --series" : "give --run");
  }
  if (isSeries) return seriesRuns(store, info, request.series);
  if (info.scope == AnalysisScope::Checkpoint) {
    if (!request.checkpoint) {
      return fail("analysis.no_checkpoint", "", info.id, "this analysis reads the weights of a checkpoint",
                  "give --checkpoint DIR");
    }
    if (request.run.empty()) return std::vector<RunId>{};
  }
  const auto run = oneRun(store, info, request.run);
  if (!run) return fail(run.error());
  return std::vector<RunId>{*run};
}

}  // namespace moescope::plugin
