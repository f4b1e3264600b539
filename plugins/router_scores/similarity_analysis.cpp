#include "plugins/router_scores/similarity_analysis.h"

#include <cmath>

#include <fmt/format.h>

#include "core/analysis/expert_similarity.h"
#include "core/analysis/layer_jobs.h"
#include "core/analysis/parameter_values.h"
#include "core/analysis/result_cells.h"
#include "core/analysis/text_choices.h"
#include "plugins/router_scores/logit_rows.h"

namespace moescope::router_scores {

using namespace analysis;

namespace {

struct Layer {
  std::int64_t tokens = 0;
  std::vector<double> similarity;    // [experts, experts]
  std::vector<std::int64_t> counts;  // [experts]
};

Result<Layer> layerOf(const AnalysisInput& input, const AnalysedRun& run,
                      const std::vector<trace::SequenceRecord>& texts, int index) {
  const int experts = run.routers[static_cast<std::size_t>(index)].experts;
  LogitProducts products(experts);
  Layer out;
  out.counts.resize(static_cast<std::size_t>(experts));
  for (const trace::SequenceRecord& text : texts) {
    const auto rows = forEachLogitRow(input, run.record.id, index, text,
                                      [&](std::span<const float> logits, std::span<const std::uint16_t> ids) {
                                        products.add(logits);
                                        for (const std::uint16_t id : ids) {
                                          if (id < experts) ++out.counts[id];
                                        }
                                      });
    if (!rows) return fail(rows.error());
  }
  out.tokens = products.tokens();
  out.similarity = products.similarity();
  return out;
}

struct Spread {
  double mean = std::nan("");
  double most = std::nan("");
};
/// Of pairs of different experts.
Spread spreadOf(const Layer& layer) {
  const std::size_t experts = layer.counts.size();
  double sum = 0.0, count = 0.0;
  Spread out;
  for (std::size_t i = 0; i < experts; ++i) {
    for (std::size_t j = i + 1; j < experts; ++j) {
      const double value = layer.similarity[i * experts + j];
      if (!std::isfinite(value)) continue;
      sum += value;
      count += 1.0;
      out.most = std::fmax(out.most, value);
    }
  }
  if (count > 0.0) out.mean = sum / count;
  return out;
}

void addLayer(const Layer& layer, int index, AnalysisResult& out) {
  const int experts = static_cast<int>(layer.counts.size());
  const Spread spread = spreadOf(layer);
  out.tables[0].rows.push_back({cell(index), layer.tokens, cell(spread.mean), cell(spread.most)});
  std::int64_t choices = 0;
  for (const std::int64_t count : layer.counts) choices += count;
  const std::vector<int> nearest = nearestExperts(layer.similarity, experts);
  for (int expert = 0; expert < experts; ++expert) {
    const auto e = static_cast<std::size_t>(expert);
    const double usage =
        choices > 0 ? static_cast<double>(layer.counts[e]) / static_cast<double>(choices) : std::nan("");
    std::vector<ResultCell> row{cell(index), cell(expert), cell(usage)};
    const bool has = nearest[e] >= 0;
    row.push_back(has ? cell(nearest[e]) : ResultCell());
    row.push_back(has ? cell(layer.similarity[e * layer.counts.size() + static_cast<std::size_t>(nearest[e])])
                      : ResultCell());
    out.tables[1].rows.push_back(std::move(row));
  }
  ResultMatrix matrix;
  matrix.id = fmt::format("similarity_layer{}", index);
  matrix.title = fmt::format("Similarity of experts by router logits, layer {}", index);
  matrix.rowLabel = matrix.columnLabel = "Expert";
  matrix.valueLabel = "(cosine of logits + 1) / 2";
  matrix.rowNames = matrix.columnNames = expertNames(experts);
  matrix.values = layer.similarity;
  matrix.baseline = 0.5;
  out.matrices.push_back(std::move(matrix));
}

}  // namespace

const AnalysisInfo& SimilarityAnalysis::info() const {
  static const AnalysisInfo info{
      "expert-similarity",
      "Expert similarity",
      "Which experts get alike router logits on the same tokens",
      AnalysisScope::Run,
      trace::CaptureLevel::Full,
      {{"layer", "all", "all, or layers such as 0,7,15 (\"7 attention\": the second router of a layer)"},
       {"tokens", "100000", "tokens to use; longer runs are thinned by whole texts"}}};
  return info;
}

Result<AnalysisResult> SimilarityAnalysis::run(const AnalysisInput& input) const {
  const auto run = analysedRun(input.store, input.runs, info().needs);
  if (!run) return fail(run.error());
  const auto routers = layersParameter(input.parameters, "layer", run->routers);
  if (!routers) return fail(routers.error());
  const auto tokens = wholeParameter(input.parameters, "tokens", 1, trace::kMostTokens);
  if (!tokens) return fail(tokens.error());
  const auto texts = spreadTexts(run->sequences, *tokens);
  std::vector<Layer> layers(routers->size());
  const auto done =
      forEachLayer(input, "Comparing logits", layers.size(), [&](std::size_t index) -> Result<void> {
        auto layer = layerOf(input, *run, texts, (*routers)[index]);
        if (!layer) return fail(layer.error());
        layers[index] = std::move(*layer);
        return {};
      });
  if (!done) return fail(done.error());
  AnalysisResult out = resultFor(info(), input, *run);
  out.baseline = "0.5: logits at a right angle";
  out.interval = "none: a description of the recorded tokens";
  out.tables = {{"layers",
                 "Similarity by layer",
                 {{"layer", ""}, {"tokens", "tokens"}, {"mean_similarity", ""}, {"most_similarity", ""}},
                 {}},
                {"experts",
                 "Usage and nearest expert",
                 {{"layer", ""}, {"expert", ""}, {"usage", ""}, {"nearest", ""}, {"similarity", ""}},
                 {}}};
  for (std::size_t l = 0; l < layers.size(); ++l)
    addLayer(layers[l], run->routers[static_cast<std::size_t>((*routers)[l])].layer.value, out);
  out.notes.push_back(
      "raw logits are compared, as the source does: an offset that all tokens share makes experts look "
      "alike (or opposite)");
  out.notes.push_back(
      "merging two experts whose gate ratio varies has an error that no weighting removes: E[(g_i + g_j)² "
      "Var(r) |f_i - f_j|²], r = g_i / (g_i + g_j); similarity of logits does not show it");
  if (texts.size() < run->sequences.size()) {
    out.notes.push_back(fmt::format("{} of {} texts were used, evenly spread (parameter tokens)",
                                    texts.size(), run->sequences.size()));
  }
  return out;
}

}  // namespace moescope::router_scores
