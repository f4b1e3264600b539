#include "plugins/specialization/vocabulary_analysis.h"

#include <array>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "core/analysis/layer_jobs.h"
#include "core/analysis/parameter_values.h"
#include "core/analysis/result_cells.h"
#include "core/analysis/routed_tokens.h"
#include "core/analysis/token_contexts.h"
#include "core/analysis/vocabulary_specialization.h"
#include "core/base/router_label.h"
#include "core/figure/token_text.h"
#include "plugins/specialization/key_layer.h"

namespace moescope::specialization {

using namespace analysis;

namespace {

constexpr int kAround = 8;  // tokens of context on each side

struct Settings {
  std::vector<TokenKey> keys;
  int choices = 0, top = 0, contexts = 0, draws = 0;
  std::int64_t minCount = 0;
  std::optional<int> expert;  ///< none: all of them
  std::uint64_t seed = 0;
};

Result<Settings> settingsOf(const AnalysisParameters& parameters) {
  constexpr std::array<std::string_view, 4> kKeys{"all", "input", "next", "predicted"};
  Settings out;
  const auto key = wordParameter(parameters, "key", kKeys);
  if (!key) return fail(key.error());
  out.keys = *key == "all" ? std::vector{TokenKey::Input, TokenKey::Next, TokenKey::Predicted}
                           : std::vector{*tokenKeyFrom(*key)};
  const auto choices = choicesParameter(parameters, "k");
  if (!choices) return fail(choices.error());
  out.choices = *choices;
  const auto whole = [&](std::string_view id, std::int64_t least, std::int64_t most,
                         auto& value) -> Result<void> {
    const auto read = wholeParameter(parameters, id, least, most);
    if (!read) return fail(read.error());
    value = static_cast<std::remove_reference_t<decltype(value)>>(*read);
    return {};
  };
  if (const auto r = whole("min_count", 1, 1'000'000'000, out.minCount); !r) return fail(r.error());
  if (const auto r = whole("top", 0, 1000, out.top); !r) return fail(r.error());
  if (const auto r = whole("contexts", 0, 100, out.contexts); !r) return fail(r.error());
  if (const auto r = whole("draws", 0, 10000, out.draws); !r) return fail(r.error());
  if (const auto r = whole("seed", 0, std::numeric_limits<std::int64_t>::max(), out.seed); !r)
    return fail(r.error());
  if (const auto expert = parameters.find("expert"); expert == parameters.end() || expert->second != "all") {
    int value = -1;
    if (const auto r = whole("expert", 0, 65534, value); !r) return fail(r.error());
    out.expert = value;
  }
  return out;
}

std::vector<ResultColumn> valueColumns() {
  std::vector<ResultColumn> out{{"layer", ""}, {"kind", ""}, {"key", ""}};
  for (const char* name : {"all_ids", "min_count", "token_weighted"}) {
    for (const char* suffix : {"", "_low", "_high", "_shuffled", "_normalised"})
      out.push_back({fmt::format("{}{}", name, suffix), ""});
  }
  for (const char* name : {"chance", "ids", "min_count_ids"}) out.push_back({name, ""});
  out.push_back({"tokens", "tokens"});
  return out;
}

std::vector<double> threeValues(const KeyCounts& counts, std::int64_t minCount) {
  const VocabularyValues values = vocabularyValues(counts, minCount);
  return {values.allIds, values.minCount, values.tokenWeighted};
}

void addExperts(const RouterSpec& router, const RunKeys& keys, const KeyLayer& layer,
                const Settings& settings, const trace::TraceStore& store, const AnalysedRun& run,
                ResultTable& experts, ResultTable& tops) {
  const ExpertVocabulary vocabulary = expertVocabulary(layer.counts, settings.minCount);
  for (int expert = 0; expert < layer.counts.experts; ++expert) {
    if (settings.expert && *settings.expert != expert) continue;
    const std::string key(name(keys.kind));
    const auto at = static_cast<std::size_t>(expert);
    experts.rows.push_back({cell(router.layer.value), router.kind, key, cell(expert),
                            cell(vocabulary.values[at]), vocabulary.ids[at]});
    std::int64_t rank = 0;
    for (const TopToken& token : topTokens(layer.counts, expert, settings.minCount, settings.top)) {
      tops.rows.push_back({cell(router.layer.value), router.kind, key, cell(expert), ++rank, cell(token.id),
                           figure::tokenText(store.tokenBytes(run.record.id, token.id)), token.occurrences,
                           token.chosen, cell(token.rate)});
    }
  }
}

Result<void> addContexts(int router, const RunKeys& keys, const KeyLayer& layer, const Settings& settings,
                         const AnalysisInput& input, const AnalysedRun& run, ResultTable& table) {
  std::vector<std::int32_t> ids;
  for (const TopToken& token : topTokens(layer.counts, *settings.expert, settings.minCount, settings.top))
    ids.push_back(token.id);
  const auto found = tokenContexts(input.store, run, router, *settings.expert, keys.keys, settings.choices,
                                   ids, settings.contexts, kAround, input.stop);
  if (!found) return fail(found.error());
  const RouterSpec& spec = run.routers[static_cast<std::size_t>(router)];
  for (const TokenContext& context : *found) {
    table.rows.push_back({cell(spec.layer.value), spec.kind, std::string(name(keys.kind)),
                          cell(*settings.expert), cell(context.key), context.row, cell(context.sequence),
                          cell(context.position), figure::tokenText(context.before),
                          figure::tokenText(context.token), figure::tokenText(context.after)});
  }
  return {};
}

}  // namespace

const AnalysisInfo& VocabularyAnalysis::info() const {
  static const AnalysisInfo info{
      "vocabulary",
      "Vocabulary specialization",
      "How far the input token, the next one or the predicted one tells the expert; top tokens of experts",
      AnalysisScope::Run,
      trace::CaptureLevel::Ids,
      {{"layer", "all", "all, or layers such as 0,7,15 (\"7 attention\": the second router of a layer)"},
       {"key", "all", "input, next (the token that follows), predicted (by the model), or all three"},
       {"k", "1", "1: the first choice of a token, all: every one"},
       {"min_count", "10", "occurrences from which an id counts as frequent"},
       {"expert", "all", "all, or one expert for its top tokens"},
       {"top", "15", "top tokens of each expert, 0 to 1000"},
       {"contexts", "0", "places shown for each top token where one expert is asked for, 0 to 100"},
       {"draws", "200", "bootstrap draws of the intervals, 0 to 10000"},
       {"seed", "1", "of draws and of the shuffled control"}}};
  return info;
}

Result<AnalysisResult> VocabularyAnalysis::run(const AnalysisInput& input) const {
  const auto settings = settingsOf(input.parameters);
  if (!settings) return fail(settings.error());
  const auto run = analysedRun(input.store, input.runs, trace::CaptureLevel::Ids);
  if (!run) return fail(run.error());
  const auto routers = layersParameter(input.parameters, "layer", run->routers);
  if (!routers) return fail(routers.error());
  const auto units = unitsOfTokens(input.store, *run, input.stop);
  if (!units) return fail(units.error());
  const TextDraws draws(units->units, settings->draws, settings->seed);

  AnalysisResult out = resultFor(info(), input, *run);
  out.baseline = "ids shuffled over all tokens; chance level k/M (normalised: 0)";
  out.interval = intervalText(*units, settings->draws);
  ResultTable values{"values", "How far a token tells the expert", valueColumns(), {}};
  ResultTable experts{"experts",
                      "Vocabulary specialization of experts",
                      {{"layer", ""}, {"kind", ""}, {"key", ""}, {"expert", ""}, {"value", ""}, {"ids", ""}},
                      {}};
  ResultTable tops{"top_tokens",
                   "Top tokens of experts",
                   {{"layer", ""},
                    {"kind", ""},
                    {"key", ""},
                    {"expert", ""},
                    {"rank", ""},
                    {"token_id", ""},
                    {"token", ""},
                    {"occurrences", "tokens"},
                    {"chosen", "tokens"},
                    {"rate", ""}},
                   {}};
  ResultTable contexts{"contexts",
                       "Where the expert served its top tokens",
                       {{"layer", ""},
                        {"kind", ""},
                        {"key", ""},
                        {"expert", ""},
                        {"token_id", ""},
                        {"row", ""},
                        {"sequence", ""},
                        {"position", ""},
                        {"before", ""},
                        {"token", ""},
                        {"after", ""}},
                       {}};
  const std::int64_t total = static_cast<std::int64_t>(settings->keys.size() * routers->size());
  std::int64_t done = 0;
  for (const TokenKey kind : settings->keys) {
    const auto keys = runKeys(input.store, *run, kind, settings->seed, input.stop);
    if (!keys && settings->keys.size() > 1 && keys.error().kind == "analysis.not_recorded") {
      out.notes.push_back(fmt::format("no values for the {} token: {}", name(kind), keys.error().message));
      continue;
    }
    if (!keys) return fail(keys.error());
    for (const int router : *routers) {
      const RouterSpec& spec = run->routers[static_cast<std::size_t>(router)];
      if (settings->expert && *settings->expert >= spec.experts) {
        return fail("analysis.bad_param", "", "expert",
                    fmt::format("layer {} has {} experts", routerLabel(spec), spec.experts),
                    "give a smaller number");
      }
      const auto layer = keyLayer(input.store, *run, router, *keys, *units, settings->choices, input.stop);
      if (!layer) return fail(layer.error());
      const auto statistics = [&](const KeyCounts& counts) {
        return threeValues(counts, settings->minCount);
      };
      const auto intervals = keyIntervals(layer->rows, draws, statistics, input.stop);
      if (!intervals) return fail(intervals.error());
      const std::vector<double> estimate = statistics(layer->counts);
      const std::vector<double> control = statistics(layer->shuffled);
      std::vector<ResultCell> row{cell(spec.layer.value), spec.kind, std::string(name(kind))};
      for (std::size_t v = 0; v < estimate.size(); ++v) {
        row.push_back(cell(estimate[v]));
        addInterval(row, (*intervals)[v]);
        row.push_back(cell(control[v]));
        row.push_back(cell(chanceNormalised(estimate[v], layer->counts.choices, spec.experts)));
      }
      const VocabularyValues counted = vocabularyValues(layer->counts, settings->minCount);
      row.push_back(cell(static_cast<double>(layer->counts.choices) / spec.experts));
      row.insert(row.end(), {counted.ids, counted.minCountIds, counted.tokens});
      values.rows.push_back(std::move(row));
      addExperts(spec, *keys, *layer, *settings, input.store, *run, experts, tops);
      if (settings->expert && settings->contexts > 0) {
        const auto added = addContexts(router, *keys, *layer, *settings, input, *run, contexts);
        if (!added) return fail(added.error());
      }
      if (input.progress) input.progress({"Sorting choices by token", ++done, total, "layers"});
    }
  }
  out.tables = {std::move(values), std::move(experts), std::move(tops)};
  if (!contexts.rows.empty()) out.tables.push_back(std::move(contexts));
  out.notes.emplace_back(
      "all_ids counts every id once, also those seen once, whose largest share is high by chance: compare it "
      "with "
      "the shuffled control");
  return out;
}

}  // namespace moescope::specialization
