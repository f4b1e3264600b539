#include "plugins/languages/divergence_analysis.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "core/analysis/layer_jobs.h"
#include "core/analysis/parameter_values.h"
#include "core/analysis/result_cells.h"
#include "core/analysis/token_similarity.h"
#include "plugins/languages/divergence_settings.h"
#include "plugins/languages/language_rows.h"

namespace moescope::languages {

using namespace analysis;

namespace {

constexpr int kShuffles = 20;

struct Value {
  double estimate = std::nan("");
  Interval interval{std::nan(""), std::nan("")};
};

/// One label at one layer against the reference.
struct Cell {
  Value divergence;
  double baseline = std::nan("");
  double entropy = std::nan("");
  double jaccard = std::nan("");
  int pairs = 0;
  std::vector<Value> deltas;  // [experts]
};
using Layer = std::vector<Cell>;  // [labels]

double meanOf(const std::vector<double>& values) {
  double sum = 0.0, count = 0.0;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    sum += value;
    count += 1.0;
  }
  return count > 0.0 ? sum / count : std::nan("");
}

class Divergence {
 public:
  Divergence(const AnalysisInput& input, const AnalysedRun& run, const DivergenceSettings& settings)
      : m_input(input),
        m_run(run),
        m_settings(settings),
        m_draws(labelDraws(run, settings.labels, settings.layers.draws, settings.layers.seed)) {}

  Result<AnalysisResult> result(const AnalysisInfo& info);

 private:
  Result<Layer> layerOf(int router) const;
  void compareMeans(const LanguageRows& rows, int label, Cell& out) const;
  Result<void> comparePairs(const LanguageRows& rows, int label, Cell& out) const;
  Result<void> compareRates(const LanguageRows& rows, int label, Cell& out) const;
  /// Mean over the texts of a label of how alike the choices of their tokens are.
  Result<double> similarity(int router, int label) const;
  [[nodiscard]] std::vector<std::pair<int, int>> pairsWith(int label) const;
  [[nodiscard]] std::vector<int> textsOf(int label) const { return m_settings.labels.textsOf(label); }
  [[nodiscard]] const std::string& labelName(std::size_t label) const {
    return m_settings.labels.names[label];
  }
  [[nodiscard]] bool recorded(const std::vector<Layer>& layers) const;
  void addDivergences(const std::vector<Layer>& layers, AnalysisResult& out) const;
  void addSpecialised(const std::vector<Layer>& layers, AnalysisResult& out) const;
  void addNotes(AnalysisResult& out) const;

  const AnalysisInput& m_input;
  const AnalysedRun& m_run;
  const DivergenceSettings& m_settings;
  std::vector<LabelDraws> m_draws;
};

std::vector<std::pair<int, int>> Divergence::pairsWith(int label) const {
  std::map<std::string, int> references;
  for (const int text : textsOf(m_settings.reference)) {
    const std::string key = labelValue(m_run.sequences[static_cast<std::size_t>(text)], m_settings.pairKey);
    if (!key.empty()) references.emplace(key, text);
  }
  std::map<std::string, bool> used;
  std::vector<std::pair<int, int>> out;
  for (const int text : textsOf(label)) {
    const std::string key = labelValue(m_run.sequences[static_cast<std::size_t>(text)], m_settings.pairKey);
    const auto found = references.find(key);
    if (found != references.end() && used.emplace(key, true).second) out.emplace_back(found->second, text);
  }
  return out;
}

void Divergence::compareMeans(const LanguageRows& rows, int label, Cell& out) const {
  const TextRows a = chosen(rows.probabilities, textsOf(m_settings.reference));
  const TextRows b = chosen(rows.probabilities, textsOf(label));
  out.divergence.estimate = meanDivergence(a, b);
  out.baseline = shuffledDivergence(a, b, kShuffles, m_settings.layers.seed);
  const LabelDraws& drawsA = m_draws[static_cast<std::size_t>(m_settings.reference)];
  const LabelDraws& drawsB = m_draws[static_cast<std::size_t>(label)];
  std::vector<double> replicates;
  for (int draw = 0; draw < std::min(drawsA.draws(), drawsB.draws()); ++draw) {
    if (m_input.stop.stop_requested()) return;
    replicates.push_back(meanDivergence(a, b, drawsA.times(draw), drawsB.times(draw)));
  }
  out.divergence.interval = bootstrapInterval(out.divergence.estimate, replicates).basic;
}

Result<void> Divergence::comparePairs(const LanguageRows& rows, int label, Cell& out) const {
  const auto pairs = pairsWith(label);
  out.pairs = static_cast<int>(pairs.size());
  if (pairs.empty()) {
    return fail("analysis.bad_param", "", "pairs",
                fmt::format("no text of “{}” has the same “{}” as a text of “{}”",
                            labelName(static_cast<std::size_t>(label)), m_settings.pairKey,
                            labelName(static_cast<std::size_t>(m_settings.reference))),
                "name the label key that parallel texts share, or leave pairs empty");
  }
  TextRows a, b;
  for (const auto& [first, second] : pairs) {
    a.push_back(rows.probabilities[static_cast<std::size_t>(first)]);
    b.push_back(rows.probabilities[static_cast<std::size_t>(second)]);
  }
  out.divergence.estimate = pairedDivergence(a, b);
  out.baseline = neighbourDivergence(chosen(rows.probabilities, textsOf(m_settings.reference)));
  const TextDraws draws(out.pairs, out.pairs > 1 ? m_settings.layers.draws : 0, m_settings.layers.seed);
  std::vector<double> replicates;
  for (int draw = 0; draw < draws.draws(); ++draw) {
    if (m_input.stop.stop_requested()) return {};
    replicates.push_back(pairedDivergence(a, b, draws.draw(draw)));
  }
  out.divergence.interval = bootstrapInterval(out.divergence.estimate, replicates).basic;
  return {};
}

Result<void> Divergence::compareRates(const LanguageRows& rows, int label, Cell& out) const {
  const TextRows a = chosen(rows.rates, textsOf(m_settings.reference));
  const TextRows b = chosen(rows.rates, textsOf(label));
  const std::vector<double> meanA = meanRow(a), meanB = meanRow(b);
  if (meanA.empty() || meanB.empty()) return {};
  const LabelDraws& drawsA = m_draws[static_cast<std::size_t>(m_settings.reference)];
  const LabelDraws& drawsB = m_draws[static_cast<std::size_t>(label)];
  std::vector<std::vector<double>> replicates(meanA.size());
  for (int draw = 0; draw < std::min(drawsA.draws(), drawsB.draws()); ++draw) {
    if (m_input.stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
    const std::vector<double> drawnA = meanRow(a, drawsA.times(draw)),
                              drawnB = meanRow(b, drawsB.times(draw));
    for (std::size_t e = 0; e < std::min(drawnA.size(), drawnB.size()); ++e)
      replicates[e].push_back(drawnB[e] - drawnA[e]);
  }
  for (std::size_t e = 0; e < meanA.size(); ++e)
    out.deltas.push_back(
        {meanB[e] - meanA[e], bootstrapInterval(meanB[e] - meanA[e], replicates[e]).percentile});
  return {};
}

Result<double> Divergence::similarity(int router, int label) const {
  std::vector<double> values;
  for (const int text : textsOf(label)) {
    trace::SequenceRecord sequence = m_run.sequences[static_cast<std::size_t>(text)];
    sequence.length = std::min<std::int64_t>(sequence.length, kComparedTokens);
    const auto pieces =
        textChoices(m_input.store, m_run.record.id, router, std::span(&sequence, 1), m_input.stop);
    if (!pieces) return fail(pieces.error());
    values.push_back(tokenSimilarity(*pieces, m_run.routers[static_cast<std::size_t>(router)].experts));
  }
  return meanOf(values);
}

Result<Layer> Divergence::layerOf(int router) const {
  const auto rows = languageRows(m_input.store, m_run, router, m_input.stop);
  if (!rows) return fail(rows.error());
  Layer out(m_settings.labels.names.size());
  for (std::size_t label = 0; label < out.size(); ++label) {
    const int index = static_cast<int>(label);
    out[label].entropy = meanOf(chosen(rows->entropies, textsOf(index)));
    const auto jaccard = similarity(router, index);
    if (!jaccard) return fail(jaccard.error());
    out[label].jaccard = *jaccard;
    if (index == m_settings.reference) continue;
    if (m_settings.pairKey.empty()) {
      compareMeans(*rows, index, out[label]);
    } else if (const auto done = comparePairs(*rows, index, out[label]); !done) {
      return fail(done.error());
    }
    if (const auto done = compareRates(*rows, index, out[label]); !done) return fail(done.error());
  }
  if (m_input.stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
  return out;
}

bool Divergence::recorded(const std::vector<Layer>& layers) const {
  return std::ranges::any_of(layers, [](const Layer& layer) {
    return std::ranges::any_of(layer, [](const Cell& c) { return std::isfinite(c.entropy); });
  });
}

void Divergence::addDivergences(const std::vector<Layer>& layers, AnalysisResult& out) const {
  ResultTable table{"divergence",
                    "Divergence from the reference language",
                    {{"label", ""},
                     {"layer", ""},
                     {"divergence", ""},
                     {"low", ""},
                     {"high", ""},
                     {"baseline", ""},
                     {"entropy", "nat"},
                     {"reference_entropy", "nat"},
                     {"jaccard", ""},
                     {"reference_jaccard", ""},
                     {"texts", "texts"},
                     {"pairs", "pairs"}},
                    {}};
  ResultMatrix matrix;
  matrix.id = "divergence";
  matrix.title = fmt::format("Divergence from {}", labelName(static_cast<std::size_t>(m_settings.reference)));
  matrix.rowLabel = "Label";
  matrix.columnLabel = "Layer";
  matrix.valueLabel = "entropy-normalised Jensen-Shannon divergence";
  matrix.columnNames = layerNames(m_run.routers, m_settings.layers.routers);
  for (std::size_t label = 0; label < m_settings.labels.names.size(); ++label) {
    if (static_cast<int>(label) == m_settings.reference) continue;
    matrix.rowNames.push_back(labelName(label));
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const Cell& value = layers[l][label];
      const int layer = m_run.routers[static_cast<std::size_t>(m_settings.layers.routers[l])].layer.value;
      std::vector<ResultCell> row{labelName(label), cell(layer), cell(value.divergence.estimate)};
      addInterval(row, value.divergence.interval);
      row.push_back(cell(value.baseline));
      row.push_back(cell(value.entropy));
      const Cell& reference = layers[l][static_cast<std::size_t>(m_settings.reference)];
      row.push_back(cell(reference.entropy));
      row.push_back(cell(value.jaccard));
      row.push_back(cell(reference.jaccard));
      row.push_back(cell(static_cast<int>(textsOf(static_cast<int>(label)).size())));
      row.push_back(m_settings.pairKey.empty() ? ResultCell() : cell(value.pairs));
      table.rows.push_back(std::move(row));
      matrix.values.push_back(value.divergence.estimate);
      matrix.low.push_back(value.divergence.interval.low);
      matrix.high.push_back(value.divergence.interval.high);
    }
  }
  out.tables.push_back(std::move(table));
  out.matrices.push_back(std::move(matrix));
}

void Divergence::addSpecialised(const std::vector<Layer>& layers, AnalysisResult& out) const {
  ResultTable table{"specialised",
                    "Experts chosen more often than in the reference by more than tau",
                    {{"label", ""}, {"layer", ""}, {"expert", ""}, {"delta", ""}, {"low", ""}, {"high", ""}},
                    {}};
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const RouterSpec& router = m_run.routers[static_cast<std::size_t>(m_settings.layers.routers[l])];
    ResultMatrix matrix;
    matrix.id = fmt::format("delta_layer{}", router.layer.value);
    matrix.title = fmt::format("Choice rate minus that of the reference, layer {}", router.layer.value);
    matrix.rowLabel = "Label";
    matrix.columnLabel = "Expert";
    matrix.valueLabel = "difference of the share of tokens that choose the expert";
    matrix.columnNames = expertNames(router.experts);
    matrix.baseline = 0.0;
    for (std::size_t label = 0; label < layers[l].size(); ++label) {
      if (static_cast<int>(label) == m_settings.reference) continue;
      std::vector<Value> deltas = layers[l][label].deltas;
      deltas.resize(static_cast<std::size_t>(router.experts));
      matrix.rowNames.push_back(labelName(label));
      for (std::size_t expert = 0; expert < deltas.size(); ++expert) {
        matrix.values.push_back(deltas[expert].estimate);
        matrix.low.push_back(deltas[expert].interval.low);
        matrix.high.push_back(deltas[expert].interval.high);
        if (!(deltas[expert].estimate > m_settings.tau)) continue;
        std::vector<ResultCell> row{labelName(label), cell(router.layer.value),
                                    cell(static_cast<int>(expert)), cell(deltas[expert].estimate)};
        addInterval(row, deltas[expert].interval);
        table.rows.push_back(std::move(row));
      }
    }
    out.matrices.push_back(std::move(matrix));
  }
  out.tables.push_back(std::move(table));
}

void Divergence::addNotes(AnalysisResult& out) const {
  const std::string& reference = labelName(static_cast<std::size_t>(m_settings.reference));
  out.notes.push_back(fmt::format("the reference is “{}”", reference));
  if (m_settings.pairKey.empty()) {
    out.notes.push_back(
        "texts are not parallel: the divergence of the labels' mean probabilities is shown, which "
        "holds differences of subject as well as of language (the paper compares parallel sentences: "
        "parameter pairs)");
  }
  if (m_run.routers.front().score == ScoreKind::SigmoidAll)
    out.notes.push_back("probabilities of a sigmoid router are its scores divided by their sum");
  for (const std::string& note : m_settings.labels.notes) out.notes.push_back(note);
  addFewTextNotes(m_settings.labels, m_draws, out.notes);
}

Result<AnalysisResult> Divergence::result(const AnalysisInfo& info) {
  std::vector<Layer> layers(m_settings.layers.routers.size());
  const auto done =
      forEachLayer(m_input, "Comparing languages", layers.size(), [&](std::size_t index) -> Result<void> {
        auto layer = layerOf(m_settings.layers.routers[index]);
        if (!layer) return fail(layer.error());
        layers[index] = std::move(*layer);
        return {};
      });
  if (!done) return fail(done.error());
  if (!recorded(layers)) {
    return fail("analysis.not_recorded", m_input.store.path().string(),
                fmt::format("run {}", m_run.record.id), "no text has sums of its router probabilities",
                "record the texts again with --capture ids or more");
  }
  AnalysisResult out = resultFor(info, m_input, m_run);
  out.parameters["reference"] = labelName(static_cast<std::size_t>(m_settings.reference));
  out.baseline = m_settings.pairKey.empty()
                     ? fmt::format("texts of both languages dealt out anew at random, {} times", kShuffles)
                     : "different texts of the reference language, each with the next";
  out.interval = labelIntervalText(m_draws, "basic for the divergence, percentile for delta");
  addDivergences(layers, out);
  addSpecialised(layers, out);
  addNotes(out);
  return out;
}

}  // namespace

const AnalysisInfo& DivergenceAnalysis::info() const {
  static const AnalysisInfo info = [] {
    AnalysisInfo out{
        "language-divergence",
        "Language divergence",
        "How far the routing of each language is from a reference language, and its specialised experts",
        AnalysisScope::Run,
        trace::CaptureLevel::Ids,
        layerParameters()};
    out.parameters.push_back(
        {"labels", "corpus", "corpus, or corpus:KEY: the label key that names the language"});
    out.parameters.push_back({"reference", "", "a label; empty: english or en, else the first"});
    out.parameters.push_back(
        {"pairs", "", "label key that parallel texts share; empty: texts are not parallel"});
    out.parameters.push_back({"tau", "0.3", "an expert is specialised above this difference, -1 to 1"});
    return out;
  }();
  return info;
}

Result<AnalysisResult> DivergenceAnalysis::run(const AnalysisInput& input) const {
  const auto run = analysedRun(input.store, input.runs, info().needs);
  if (!run) return fail(run.error());
  const auto settings = divergenceSettings(input, *run);
  if (!settings) return fail(settings.error());
  return Divergence(input, *run, *settings).result(info());
}

}  // namespace moescope::languages
