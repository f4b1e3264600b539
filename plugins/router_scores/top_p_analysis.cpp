#include "plugins/router_scores/top_p_analysis.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "core/analysis/layer_jobs.h"
#include "core/analysis/parameter_lists.h"
#include "core/analysis/parameter_values.h"
#include "core/analysis/result_cells.h"
#include "core/analysis/text_choices.h"
#include "core/analysis/text_labels.h"
#include "core/analysis/top_p_counts.h"
#include "core/analysis/unit_sums.h"
#include "core/trace/router_statistics.h"
#include "plugins/router_scores/logit_rows.h"

namespace moescope::router_scores {

using namespace analysis;

namespace {

struct Settings {
  LayerSettings layers;
  std::vector<double> masses;
  std::vector<trace::SequenceRecord> texts;
  TextLabels labels;  ///< without names: not by label
};

Result<Settings> settingsOf(const AnalysisInput& input, const AnalysedRun& run) {
  const auto layers = layerSettings(input.parameters, run.routers);
  if (!layers) return fail(layers.error());
  const auto masses = realsParameter(input.parameters, "p", 0.0, 1.0);
  if (!masses) return fail(masses.error());
  const auto tokens = wholeParameter(input.parameters, "tokens", 1, trace::kMostTokens);
  if (!tokens) return fail(tokens.error());
  Settings out{*layers, *masses, spreadTexts(run.sequences, *tokens), {}};
  const auto found = input.parameters.find("labels");
  if (found == input.parameters.end() || found->second == "none") return out;
  AnalysedRun part = run;
  part.sequences = out.texts;
  auto labels = textLabels(input.store, part, found->second);
  if (!labels) return fail(labels.error());
  out.labels = std::move(*labels);
  return out;
}

/// Columns of the sums: tokens, captured mass, entropy, then count and variant of each p.
enum Column : std::size_t { Tokens, Captured, Entropy, Counts };

std::vector<double> means(std::span<const double> sums) {
  std::vector<double> out;
  for (std::size_t c = Captured; c < sums.size(); ++c) out.push_back(sums[c] / sums[Tokens]);
  return out;
}

/// p M rounded up, at least 1; the subtrahend keeps 0.7 x 10 from becoming 8.
int uniformCount(double p, int experts) {
  return std::max(1, static_cast<int>(std::ceil(p * experts - 1e-9)));
}

struct Layer {
  UnitSums sums;                                     // [texts' units, columns]
  std::vector<UnitSums> byLabel;                     // [labels]
  std::vector<std::vector<std::int64_t>> histogram;  // [p][experts]
  std::vector<BootstrapInterval> intervals;
  std::vector<std::vector<BootstrapInterval>> labelIntervals;
};

class TopP {
 public:
  TopP(const AnalysisInput& input, const AnalysedRun& run, const Settings& settings)
      : m_input(input),
        m_run(run),
        m_settings(settings),
        m_units(resamplingUnits(settings.texts)),
        m_draws(m_units.units, m_units.units > 1 ? settings.layers.draws : 0, settings.layers.seed) {}

  Result<AnalysisResult> result(const AnalysisInfo& info);

 private:
  Result<Layer> layerOf(int index) const;
  Result<void> addText(std::size_t text, int index, Layer& out) const;
  void addTables(const std::vector<Layer>& layers, AnalysisResult& out) const;
  void addLabelTable(const std::vector<Layer>& layers, AnalysisResult& out) const;
  void addHistograms(const std::vector<Layer>& layers, AnalysisResult& out) const;
  [[nodiscard]] const RouterSpec& routerOf(std::size_t layer) const {
    return m_run.routers[static_cast<std::size_t>(m_settings.layers.routers[layer])];
  }

  const AnalysisInput& m_input;
  const AnalysedRun& m_run;
  const Settings& m_settings;
  ResamplingUnits m_units;
  TextDraws m_draws;
};

Result<void> TopP::addText(std::size_t text, int index, Layer& out) const {
  const RouterSpec& router = m_run.routers[static_cast<std::size_t>(index)];
  std::vector<float> probabilities(static_cast<std::size_t>(router.experts));
  std::vector<double> row(Counts + 2 * m_settings.masses.size());
  const auto visit = [&](std::span<const float> logits, std::span<const std::uint16_t> ids) {
    if (logits.size() != probabilities.size()) return;
    const auto statistics = trace::rowStatistics(logits, router.score, probabilities);
    if (!statistics.finite) return;
    row[Tokens] += 1.0;
    row[Entropy] += statistics.entropy;
    for (const std::uint16_t id : ids) {
      if (id < router.experts) row[Captured] += static_cast<double>(probabilities[id]);
    }
    const std::vector<double> descending = descendingProbabilities(probabilities);
    for (std::size_t p = 0; p < m_settings.masses.size(); ++p) {
      const int count = topPCount(descending, m_settings.masses[p]);
      row[Counts + 2 * p] += count;
      row[Counts + 2 * p + 1] += topPCountBelow(descending, m_settings.masses[p]);
      ++out.histogram[p][static_cast<std::size_t>(count) - 1];
    }
  };
  const auto rows = forEachLogitRow(m_input, m_run.record.id, index, m_settings.texts[text], visit);
  if (!rows) return fail(rows.error());
  const auto addTo = [&](UnitSums& sums) {
    const std::span<double> unit = sums.row(m_units.unitOf[text]);
    for (std::size_t c = 0; c < row.size(); ++c) unit[c] += row[c];
  };
  addTo(out.sums);
  if (!out.byLabel.empty() && m_settings.labels.labelOf[text] >= 0)
    addTo(out.byLabel[static_cast<std::size_t>(m_settings.labels.labelOf[text])]);
  return {};
}

Result<Layer> TopP::layerOf(int index) const {
  const int columns = static_cast<int>(Counts + 2 * m_settings.masses.size());
  const auto experts = static_cast<std::size_t>(m_run.routers[static_cast<std::size_t>(index)].experts);
  Layer out{
      UnitSums(m_units.units, columns),
      std::vector<UnitSums>(m_settings.labels.names.size(), UnitSums(m_units.units, columns)),
      std::vector<std::vector<std::int64_t>>(m_settings.masses.size(), std::vector<std::int64_t>(experts)),
      {},
      {}};
  for (std::size_t text = 0; text < m_settings.texts.size(); ++text) {
    if (const auto added = addText(text, index, out); !added) return fail(added.error());
  }
  auto intervals = bootstrapSums(out.sums, m_draws, means, m_input.stop);
  if (!intervals) return fail(intervals.error());
  out.intervals = std::move(*intervals);
  for (const UnitSums& sums : out.byLabel) {
    auto ofLabel = bootstrapSums(sums, m_draws, means, m_input.stop);
    if (!ofLabel) return fail(ofLabel.error());
    out.labelIntervals.push_back(std::move(*ofLabel));
  }
  return out;
}

void TopP::addTables(const std::vector<Layer>& layers, AnalysisResult& out) const {
  ResultTable counts{"top_p",
                     "Experts that hold the mass p",
                     {{"layer", ""},
                      {"p", ""},
                      {"mean", "experts"},
                      {"low", "experts"},
                      {"high", "experts"},
                      {"uniform", "experts"},
                      {"mean_below", "experts"},
                      {"top_k", "experts"}},
                     {}};
  ResultTable mass{"captured",
                   "Probability mass of the chosen experts",
                   {{"layer", ""},
                    {"tokens", "tokens"},
                    {"captured", ""},
                    {"low", ""},
                    {"high", ""},
                    {"uniform", ""},
                    {"entropy", "nat"}},
                   {}};
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const std::vector<double> total = layers[l].sums.total();
    const std::vector<double> values = means(total);
    const RouterSpec& router = routerOf(l);
    for (std::size_t p = 0; p < m_settings.masses.size(); ++p) {
      const std::size_t v = Counts - Captured + 2 * p;
      std::vector<ResultCell> row{cell(router.layer.value), cell(m_settings.masses[p]), cell(values[v])};
      addInterval(row, layers[l].intervals[v].percentile);
      row.push_back(cell(uniformCount(m_settings.masses[p], router.experts)));
      row.push_back(cell(values[v + 1]));
      row.push_back(cell(router.topK));
      counts.rows.push_back(std::move(row));
    }
    std::vector<ResultCell> row{cell(router.layer.value), static_cast<std::int64_t>(total[Tokens]),
                                cell(values[0])};
    addInterval(row, layers[l].intervals[0].percentile);
    row.push_back(cell(static_cast<double>(router.topK) / router.experts));
    row.push_back(cell(values[Entropy - Captured]));
    mass.rows.push_back(std::move(row));
  }
  out.tables.push_back(std::move(counts));
  out.tables.push_back(std::move(mass));
}

void TopP::addLabelTable(const std::vector<Layer>& layers, AnalysisResult& out) const {
  if (m_settings.labels.names.empty()) return;
  ResultTable table{"by_label",
                    "Experts that hold the mass p, by label",
                    {{"label", ""},
                     {"layer", ""},
                     {"p", ""},
                     {"mean", "experts"},
                     {"low", "experts"},
                     {"high", "experts"},
                     {"tokens", "tokens"}},
                    {}};
  for (std::size_t label = 0; label < m_settings.labels.names.size(); ++label) {
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const std::vector<double> total = layers[l].byLabel[label].total();
      const std::vector<double> values = means(total);
      for (std::size_t p = 0; p < m_settings.masses.size(); ++p) {
        const std::size_t v = Counts - Captured + 2 * p;
        std::vector<ResultCell> row{m_settings.labels.names[label], cell(routerOf(l).layer.value),
                                    cell(m_settings.masses[p]), cell(values[v])};
        addInterval(row, layers[l].labelIntervals[label][v].percentile);
        row.emplace_back(static_cast<std::int64_t>(total[Tokens]));
        table.rows.push_back(std::move(row));
      }
    }
  }
  out.tables.push_back(std::move(table));
}

void TopP::addHistograms(const std::vector<Layer>& layers, AnalysisResult& out) const {
  int most = 0;
  for (std::size_t l = 0; l < layers.size(); ++l) most = std::max(most, routerOf(l).experts);
  for (std::size_t p = 0; p < m_settings.masses.size(); ++p) {
    ResultMatrix matrix;
    matrix.id = fmt::format("histogram_{}", m_settings.masses[p]);
    matrix.title = fmt::format("Tokens by number of experts for p = {}", m_settings.masses[p]);
    matrix.rowLabel = "Layer";
    matrix.columnLabel = "Experts needed";
    matrix.valueLabel = "share of tokens";
    matrix.rowNames = layerNames(m_run.routers, m_settings.layers.routers);
    for (int count = 1; count <= most; ++count) matrix.columnNames.push_back(std::to_string(count));
    for (const Layer& layer : layers) {
      const double tokens = layer.sums.total()[Tokens];
      std::vector<double> row(static_cast<std::size_t>(most));
      for (std::size_t c = 0; c < layer.histogram[p].size(); ++c)
        row[c] = static_cast<double>(layer.histogram[p][c]) / tokens;
      matrix.values.insert(matrix.values.end(), row.begin(), row.end());
    }
    out.matrices.push_back(std::move(matrix));
  }
}

Result<AnalysisResult> TopP::result(const AnalysisInfo& info) {
  std::vector<std::optional<Layer>> parts(m_settings.layers.routers.size());
  const auto done =
      forEachLayer(m_input, "Counting experts", parts.size(), [&](std::size_t index) -> Result<void> {
        auto layer = layerOf(m_settings.layers.routers[index]);
        if (!layer) return fail(layer.error());
        parts[index] = std::move(*layer);
        return {};
      });
  if (!done) return fail(done.error());
  std::vector<Layer> layers;
  layers.reserve(parts.size());
  for (auto& part : parts) layers.push_back(std::move(*part));
  AnalysisResult out = resultFor(info, m_input, m_run);
  out.baseline = "uniform probabilities: p M experts, rounded up; K / M of the mass";
  out.interval = intervalText(m_units, m_settings.layers.draws);
  addTables(layers, out);
  addLabelTable(layers, out);
  addHistograms(layers, out);
  out.notes.push_back(
      "a what-if on a model that was trained and run with its own k; n is the least number of experts "
      "whose probabilities add up to p or more, mean_below the variant that stops before p (at least 1)");
  const bool sigmoid =
      std::ranges::any_of(m_run.routers, [](const auto& r) { return r.score == ScoreKind::SigmoidAll; });
  if (sigmoid) out.notes.push_back("probabilities of a sigmoid router are its scores divided by their sum");
  for (const std::string& note : m_settings.labels.notes) out.notes.push_back(note);
  if (m_settings.texts.size() < m_run.sequences.size()) {
    out.notes.push_back(fmt::format("{} of {} texts were used, evenly spread (parameter tokens)",
                                    m_settings.texts.size(), m_run.sequences.size()));
  }
  return out;
}

}  // namespace

const AnalysisInfo& TopPAnalysis::info() const {
  static const AnalysisInfo info = [] {
    AnalysisInfo out{"top-p",
                     "Top-p counts",
                     "How many experts hold the probability mass p, and what top-k captures",
                     AnalysisScope::Run,
                     trace::CaptureLevel::Full,
                     layerParameters()};
    out.parameters.push_back({"p", "0.4,0.8", "masses between 0 and 1"});
    out.parameters.push_back({"labels", "none", "none, corpus, or corpus:KEY: counts by label as well"});
    out.parameters.push_back({"tokens", "1000000", "tokens to use; longer runs are thinned by whole texts"});
    return out;
  }();
  return info;
}

Result<AnalysisResult> TopPAnalysis::run(const AnalysisInput& input) const {
  const auto run = analysedRun(input.store, input.runs, info().needs);
  if (!run) return fail(run.error());
  const auto settings = settingsOf(input, *run);
  if (!settings) return fail(settings.error());
  return TopP(input, *run, *settings).result(info());
}

}  // namespace moescope::router_scores
