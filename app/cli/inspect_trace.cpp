#include "app/cli/inspect_trace.h"

#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/cli/command.h"
#include "app/cli/text_table.h"
#include "core/base/shown_text.h"
#include "core/trace/trace_store.h"

namespace moescope::cli {

namespace {

using nlohmann::ordered_json;

struct RunFacts {
  trace::RunRecord run;
  trace::ModelRecord model;
  std::vector<RouterSpec> routers;
  std::set<std::string> labelKeys;
  std::size_t steeringEvents = 0;
  std::int64_t decisions = 0;  ///< experts chosen, counted from the summaries of the file
};

RunFacts factsOf(const trace::TraceStore& store, const trace::RunRecord& run) {
  RunFacts facts;
  facts.run = run;
  facts.model = store.model(run.model).value_or(trace::ModelRecord{});
  facts.routers = store.routers(run.id);
  facts.steeringEvents = store.steeringEvents(run.id).size();
  for (const auto& sequence : store.sequences(run.id)) {
    for (const auto& [key, value] : sequence.labels) facts.labelKeys.insert(key);
  }
  for (std::size_t router = 0; router < facts.routers.size(); ++router) {
    facts.decisions += store.load(run.id, static_cast<int>(router), {0, run.tokens}, interruptToken()).slots;
  }
  return facts;
}

ordered_json runJson(const RunFacts& facts) {
  const auto& run = facts.run;
  return {{"id", run.id},
          {"name", run.name},
          {"notes", run.notes},
          {"kind", trace::name(run.kind)},
          {"status", trace::name(run.status)},
          {"model", facts.model.name},
          {"family", facts.model.family},
          {"parameters", {{"total", facts.model.parametersTotal}, {"active", facts.model.parametersActive}}},
          {"weights_fingerprint", facts.model.weightsFingerprint},
          {"engine", run.engine},
          {"device", run.device},
          {"dtype", run.dtype},
          {"threads", run.threads},
          {"seed", run.seed},
          {"capture", trace::name(run.capture)},
          {"sequences", run.sequences},
          {"tokens", run.tokens},
          {"routed_tokens", run.routedTokens},
          {"decisions", facts.decisions},
          {"label_keys", facts.labelKeys},
          {"steering_events", facts.steeringEvents},
          {"started_ms", run.startedMs},
          {"ended_ms", run.endedMs},
          {"routers", routersJson(facts.routers)}};
}

struct Totals {
  std::int64_t sequences = 0, tokens = 0, decisions = 0;
};

Totals totalsOf(const std::vector<RunFacts>& runs) {
  Totals totals;
  for (const auto& facts : runs) {
    totals.sequences += facts.run.sequences;
    totals.tokens += facts.run.tokens;
    totals.decisions += facts.decisions;
  }
  return totals;
}

void printText(const trace::TraceStore& store, const std::vector<RunFacts>& runs, std::int64_t bytes) {
  const Totals totals = totalsOf(runs);
  Facts facts{{"kind", "trace"},
              {"size", bytesText(bytes)},
              {"runs", fmt::to_string(runs.size())},
              {"sequences", fmt::to_string(totals.sequences)},
              {"tokens", fmt::to_string(totals.tokens)},
              {"decisions", fmt::to_string(totals.decisions)}};
  for (const auto& warning : store.warnings()) facts.emplace_back("warning", shown(warning, 400));
  printFacts(store.path().string(), facts);
  if (runs.empty()) return;
  std::vector<std::vector<std::string>> rows;
  for (const auto& [run, model, routers, labelKeys, steeringEvents, decisions] : runs) {
    const std::string labels =
        labelKeys.empty() ? "-" : shown(fmt::format("{}", fmt::join(labelKeys, ", ")), 40);
    rows.push_back({fmt::to_string(run.id), shown(run.name, 40), std::string(trace::name(run.kind)),
                    std::string(trace::name(run.status)), shown(model.name, 40), routersText(routers),
                    std::string(trace::name(run.capture)), fmt::to_string(run.sequences),
                    fmt::to_string(run.tokens), fmt::to_string(decisions), labels,
                    fmt::to_string(steeringEvents)});
  }
  fmt::print("\n");
  printTable({{"run", true},
              {"name"},
              {"kind"},
              {"status"},
              {"model"},
              {"routers"},
              {"capture"},
              {"sequences", true},
              {"tokens", true},
              {"decisions", true},
              {"labels"},
              {"steered", true}},
             rows);
}

}  // namespace

int inspectTrace(const std::filesystem::path& path, bool json) {
  const auto store = trace::TraceStore::open(path, trace::OpenMode::ReadOnly);
  if (!store) return report(store.error(), json);
  std::vector<RunFacts> runs;
  for (const auto& run : (*store)->runs()) runs.push_back(factsOf(**store, run));
  if (interruptToken().stop_requested()) return kCancelled;
  std::error_code ignored;
  const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(path, ignored));
  if (!json) {
    printText(**store, runs, bytes);
    return kDone;
  }
  const Totals totals = totalsOf(runs);
  ordered_json list = ordered_json::array();
  for (const auto& facts : runs) list.push_back(runJson(facts));
  print({{"kind", "trace"},
         {"path", path.string()},
         {"bytes", bytes},
         {"content_id", (*store)->contentId()},
         {"sequences", totals.sequences},
         {"tokens", totals.tokens},
         {"decisions", totals.decisions},
         {"runs", list},
         {"warnings", (*store)->warnings()}});
  return kDone;
}

}  // namespace moescope::cli
