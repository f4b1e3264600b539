#include "plugins/languages/exclusive_analysis.h"

#include <algorithm>
#include <random>

#include <fmt/format.h>

#include "core/analysis/exclusive_experts.h"
#include "core/analysis/layer_jobs.h"
#include "core/analysis/parameter_lists.h"
#include "core/analysis/parameter_values.h"
#include "core/analysis/result_cells.h"
#include "core/analysis/shuffle.h"
#include "plugins/languages/language_rows.h"

namespace moescope::languages {

using namespace analysis;

namespace {

constexpr int kShuffles = 20;

struct Target {
  std::string name;
  std::vector<int> labels;
};

struct Settings {
  LayerSettings layers;
  TextLabels labels;
  std::vector<Target> targets;
  ExclusiveRule rule;
};

Result<std::vector<Target>> targetsOf(const std::string& text, const std::vector<std::string>& names) {
  std::vector<Target> out;
  if (text.empty()) {
    for (std::size_t label = 0; label < names.size(); ++label)
      out.push_back({names[label], {static_cast<int>(label)}});
    return out;
  }
  Target set{text, {}};
  for (const std::string& word : wordsOf(text)) {
    const auto found = std::ranges::find(names, word);
    if (found == names.end()) {
      return fail("analysis.bad_param", "", "targets", fmt::format("no text has the label “{}”", word),
                  "give labels of the run with commas between them, or nothing for each by itself");
    }
    set.labels.push_back(static_cast<int>(found - names.begin()));
  }
  return std::vector{set};
}

Result<Settings> settingsOf(const AnalysisInput& input, const AnalysedRun& run) {
  const auto layers = layerSettings(input.parameters, run.routers);
  if (!layers) return fail(layers.error());
  const auto keep = wholeParameter(input.parameters, "keep", 1, 65'535);
  if (!keep) return fail(keep.error());
  const auto threshold = realParameter(input.parameters, "threshold", 0.0, 1.0);
  if (!threshold) return fail(threshold.error());
  const auto word = [&](const char* id, const char* usual) {
    const auto found = input.parameters.find(id);
    return found == input.parameters.end() ? std::string(usual) : found->second;
  };
  const auto labels = textLabels(input.store, run, word("labels", "corpus"));
  if (!labels) return fail(labels.error());
  const auto targets = targetsOf(word("targets", ""), labels->names);
  if (!targets) return fail(targets.error());
  return Settings{*layers, *labels, *targets, {static_cast<int>(*keep), *threshold}};
}

/// Activations / tokens of each label, [labels, experts]; `times` [texts] how often a text counts.
std::vector<double> ratesOf(const LanguageRows& rows, const std::vector<int>& labelOf, int labels,
                            const std::vector<std::uint16_t>& times) {
  const std::size_t experts = rows.rates.empty() ? 0 : rows.rates.front().size();
  std::vector<double> out(static_cast<std::size_t>(labels) * experts);
  std::vector<double> tokens(static_cast<std::size_t>(labels));
  for (std::size_t text = 0; text < rows.rates.size(); ++text) {
    if (labelOf[text] < 0 || rows.tokens[text] <= 0.0 || times[text] == 0) continue;
    const auto label = static_cast<std::size_t>(labelOf[text]);
    const double weight = times[text] * rows.tokens[text];
    for (std::size_t e = 0; e < experts; ++e) out[label * experts + e] += weight * rows.rates[text][e];
    tokens[label] += weight;
  }
  for (std::size_t label = 0; label < tokens.size(); ++label) {
    if (tokens[label] <= 0.0) continue;
    for (std::size_t e = 0; e < experts; ++e) out[label * experts + e] /= tokens[label];
  }
  return out;
}

struct Layer {
  std::vector<double> rates, selectivities;    // [labels, experts]
  std::vector<std::vector<int>> exclusive;     // [targets]
  std::vector<std::vector<double>> stability;  // [targets][experts] share of draws
  std::vector<BootstrapInterval> counts;       // [targets]
  std::vector<double> shuffled;                // [targets] mean count with shuffled labels
  std::vector<int> shared;
};

class Exclusive {
 public:
  Exclusive(const AnalysisInput& input, const AnalysedRun& run, const Settings& settings)
      : m_input(input),
        m_run(run),
        m_settings(settings),
        m_draws(labelDraws(run, settings.labels, settings.layers.draws, settings.layers.seed)) {}

  Result<AnalysisResult> result(const AnalysisInfo& info);

 private:
  Result<Layer> layerOf(int router) const;
  [[nodiscard]] std::vector<double> selectivityOf(const std::vector<double>& rates, int experts) const {
    return selectivity(rates, labels(), experts, m_settings.rule.keep);
  }
  [[nodiscard]] int labels() const { return static_cast<int>(m_settings.labels.names.size()); }
  [[nodiscard]] std::vector<std::uint16_t> timesOf(int draw) const;
  Result<void> addDraws(const LanguageRows& rows, int experts, Layer& out) const;
  void addShuffles(const LanguageRows& rows, int experts, Layer& out) const;
  void addExclusive(const std::vector<Layer>& layers, AnalysisResult& out) const;
  void addCounts(const std::vector<Layer>& layers, AnalysisResult& out) const;
  void addMatrices(const std::vector<Layer>& layers, AnalysisResult& out) const;
  [[nodiscard]] const RouterSpec& routerOf(std::size_t layer) const {
    return m_run.routers[static_cast<std::size_t>(m_settings.layers.routers[layer])];
  }

  const AnalysisInput& m_input;
  const AnalysedRun& m_run;
  const Settings& m_settings;
  std::vector<LabelDraws> m_draws;
};

/// Labels with one text stay as they are.
std::vector<std::uint16_t> Exclusive::timesOf(int draw) const {
  std::vector<std::uint16_t> out(m_run.sequences.size(), 1);
  for (int label = 0; label < labels(); ++label) {
    const LabelDraws& draws = m_draws[static_cast<std::size_t>(label)];
    if (draw >= draws.draws()) continue;
    const std::vector<int> texts = m_settings.labels.textsOf(label);
    const std::vector<std::uint16_t> times = draws.times(draw);
    for (std::size_t t = 0; t < texts.size(); ++t) out[static_cast<std::size_t>(texts[t])] = times[t];
  }
  return out;
}

Result<void> Exclusive::addDraws(const LanguageRows& rows, int experts, Layer& out) const {
  const std::size_t targets = m_settings.targets.size();
  std::vector<std::vector<double>> counts(targets);
  out.stability.assign(targets, std::vector<double>(static_cast<std::size_t>(experts)));
  const int draws = std::ranges::max(m_draws, {}, &LabelDraws::draws).draws();
  for (int draw = 0; draw < draws; ++draw) {
    if (m_input.stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
    const auto s = selectivityOf(ratesOf(rows, m_settings.labels.labelOf, labels(), timesOf(draw)), experts);
    for (std::size_t t = 0; t < targets; ++t) {
      const auto found =
          exclusiveExperts(s, experts, m_settings.targets[t].labels, m_settings.rule.threshold);
      counts[t].push_back(static_cast<double>(found.size()));
      for (const int expert : found) out.stability[t][static_cast<std::size_t>(expert)] += 1.0;
    }
  }
  for (auto& target : out.stability) {
    for (double& share : target) share /= std::max(draws, 1);
  }
  for (std::size_t t = 0; t < targets; ++t)
    out.counts.push_back(bootstrapInterval(static_cast<double>(out.exclusive[t].size()), counts[t]));
  return {};
}

void Exclusive::addShuffles(const LanguageRows& rows, int experts, Layer& out) const {
  std::mt19937_64 random(m_settings.layers.seed);
  std::vector<int> labelled, deck;
  for (std::size_t text = 0; text < m_settings.labels.labelOf.size(); ++text) {
    if (m_settings.labels.labelOf[text] < 0) continue;
    labelled.push_back(static_cast<int>(text));
    deck.push_back(m_settings.labels.labelOf[text]);
  }
  const std::vector<std::uint16_t> once(m_run.sequences.size(), 1);
  out.shuffled.assign(m_settings.targets.size(), 0.0);
  for (int deal = 0; deal < kShuffles; ++deal) {
    shuffle(std::span(deck), random);
    std::vector<int> labelOf = m_settings.labels.labelOf;
    for (std::size_t i = 0; i < labelled.size(); ++i)
      labelOf[static_cast<std::size_t>(labelled[i])] = deck[i];
    const auto s = selectivityOf(ratesOf(rows, labelOf, labels(), once), experts);
    for (std::size_t t = 0; t < out.shuffled.size(); ++t) {
      const auto found =
          exclusiveExperts(s, experts, m_settings.targets[t].labels, m_settings.rule.threshold);
      out.shuffled[t] += static_cast<double>(found.size());
    }
  }
  for (double& level : out.shuffled) level /= kShuffles;
}

Result<Layer> Exclusive::layerOf(int router) const {
  const auto rows = languageRows(m_input.store, m_run, router, m_input.stop);
  if (!rows) return fail(rows.error());
  const int experts = m_run.routers[static_cast<std::size_t>(router)].experts;
  Layer out;
  out.rates = ratesOf(*rows, m_settings.labels.labelOf, labels(),
                      std::vector<std::uint16_t>(m_run.sequences.size(), 1));
  out.selectivities = selectivityOf(out.rates, experts);
  for (const Target& target : m_settings.targets)
    out.exclusive.push_back(
        exclusiveExperts(out.selectivities, experts, target.labels, m_settings.rule.threshold));
  out.shared = sharedExperts(out.selectivities, labels(), experts, m_settings.rule.threshold);
  if (const auto done = addDraws(*rows, experts, out); !done) return fail(done.error());
  addShuffles(*rows, experts, out);
  return out;
}

void Exclusive::addExclusive(const std::vector<Layer>& layers, AnalysisResult& out) const {
  ResultTable exclusive{
      "exclusive",
      "Exclusive experts",
      {{"target", ""}, {"layer", ""}, {"expert", ""}, {"selectivity", ""}, {"rate", ""}, {"stability", ""}},
      {}};
  ResultTable shared{
      "shared", "Shared experts: kept somewhere, exclusive nowhere", {{"layer", ""}, {"expert", ""}}, {}};
  const bool drawn = std::ranges::max(m_draws, {}, &LabelDraws::draws).draws() > 0;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const auto experts = static_cast<std::size_t>(routerOf(l).experts);
    for (std::size_t t = 0; t < m_settings.targets.size(); ++t) {
      for (const int expert : layers[l].exclusive[t]) {
        double s = 0.0, rate = 0.0;
        for (const int label : m_settings.targets[t].labels) {
          const std::size_t i = static_cast<std::size_t>(label) * experts + static_cast<std::size_t>(expert);
          s += layers[l].selectivities[i];
          rate = std::max(rate, layers[l].rates[i]);
        }
        exclusive.rows.push_back(
            {m_settings.targets[t].name, cell(routerOf(l).layer.value), cell(expert), cell(s), cell(rate),
             drawn ? cell(layers[l].stability[t][static_cast<std::size_t>(expert)]) : ResultCell()});
      }
    }
    for (const int expert : layers[l].shared)
      shared.rows.push_back({cell(routerOf(l).layer.value), cell(expert)});
  }
  out.tables.push_back(std::move(exclusive));
  out.tables.push_back(std::move(shared));
}

void Exclusive::addCounts(const std::vector<Layer>& layers, AnalysisResult& out) const {
  ResultTable counts{"counts",
                     "Number of exclusive experts",
                     {{"target", ""},
                      {"layer", ""},
                      {"exclusive", "experts"},
                      {"low", "experts"},
                      {"high", "experts"},
                      {"shuffled", "experts"}},
                     {}};
  ResultTable totals{"totals",
                     "Exclusive experts of all layers",
                     {{"target", ""}, {"exclusive", "experts"}, {"shuffled", "experts"}},
                     {}};
  for (std::size_t t = 0; t < m_settings.targets.size(); ++t) {
    std::int64_t sum = 0;
    double level = 0.0;
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const auto count = static_cast<std::int64_t>(layers[l].exclusive[t].size());
      std::vector<ResultCell> row{m_settings.targets[t].name, cell(routerOf(l).layer.value), count};
      addInterval(row, layers[l].counts[t].percentile);
      row.push_back(cell(layers[l].shuffled[t]));
      counts.rows.push_back(std::move(row));
      sum += count;
      level += layers[l].shuffled[t];
    }
    totals.rows.push_back({m_settings.targets[t].name, sum, cell(level)});
  }
  out.tables.push_back(std::move(counts));
  out.tables.push_back(std::move(totals));
}

void Exclusive::addMatrices(const std::vector<Layer>& layers, AnalysisResult& out) const {
  for (std::size_t l = 0; l < layers.size(); ++l) {
    ResultMatrix matrix;
    matrix.id = fmt::format("selectivity_layer{}", routerOf(l).layer.value);
    matrix.title = fmt::format("Selectivity, layer {}", routerOf(l).layer.value);
    matrix.rowLabel = "Label";
    matrix.columnLabel = "Expert";
    matrix.valueLabel = "share of the label in the expert's activation rates";
    matrix.rowNames = m_settings.labels.names;
    matrix.columnNames = expertNames(routerOf(l).experts);
    matrix.values = layers[l].selectivities;
    matrix.baseline = 1.0 / labels();
    out.matrices.push_back(std::move(matrix));
  }
}

Result<AnalysisResult> Exclusive::result(const AnalysisInfo& info) {
  std::vector<Layer> layers(m_settings.layers.routers.size());
  const auto done = forEachLayer(m_input, "Finding exclusive experts", layers.size(),
                                 [&](std::size_t index) -> Result<void> {
                                   auto layer = layerOf(m_settings.layers.routers[index]);
                                   if (!layer) return fail(layer.error());
                                   layers[index] = std::move(*layer);
                                   return {};
                                 });
  if (!done) return fail(done.error());
  AnalysisResult out = resultFor(info, m_input, m_run);
  out.baseline = fmt::format(
      "labels shuffled over texts, {} times (column shuffled); 1/labels for the selectivity", kShuffles);
  out.interval = labelIntervalText(m_draws, "percentile");
  addCounts(layers, out);
  addExclusive(layers, out);
  addMatrices(layers, out);
  const int most = std::ranges::max(m_run.routers, {}, &RouterSpec::experts).experts;
  if (2 * m_settings.rule.keep >= most) {
    out.notes.push_back(fmt::format("keep = {} is half or more of the {} experts: hardly any is left out",
                                    m_settings.rule.keep, most));
  }
  out.notes.push_back(
      "stability is the share of bootstrap draws in which the expert is exclusive; the published code "
      "was read, not its paper");
  for (const std::string& note : m_settings.labels.notes) out.notes.push_back(note);
  addFewTextNotes(m_settings.labels, m_draws, out.notes);
  return out;
}

}  // namespace

const AnalysisInfo& ExclusiveAnalysis::info() const {
  static const AnalysisInfo info = [] {
    AnalysisInfo out{"exclusive-experts",
                     "Exclusive experts",
                     "Experts whose activation belongs to one language or a set of languages",
                     AnalysisScope::Run,
                     trace::CaptureLevel::Ids,
                     layerParameters()};
    out.parameters.push_back(
        {"labels", "corpus", "corpus, or corpus:KEY: the label key that names the language"});
    out.parameters.push_back(
        {"targets", "", "labels that make one set, with commas; empty: each label by itself"});
    out.parameters.push_back({"keep", "15", "most activated experts kept for each label"});
    out.parameters.push_back({"threshold", "0.4", "selectivity from which an expert is exclusive, 0 to 1"});
    return out;
  }();
  return info;
}

Result<AnalysisResult> ExclusiveAnalysis::run(const AnalysisInput& input) const {
  const auto run = analysedRun(input.store, input.runs, info().needs);
  if (!run) return fail(run.error());
  const auto settings = settingsOf(input, *run);
  if (!settings) return fail(settings.error());
  return Exclusive(input, *run, *settings).result(info());
}

}  // namespace moescope::languages
