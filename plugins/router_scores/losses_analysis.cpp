#include "plugins/router_scores/losses_analysis.h"

#include <cmath>
#include <set>

#include <fmt/format.h>

#include "core/analysis/auxiliary_losses.h"
#include "core/analysis/layer_jobs.h"
#include "core/analysis/result_cells.h"
#include "core/analysis/unit_sums.h"
#include "plugins/router_scores/logit_rows.h"

namespace moescope::router_scores {

using namespace analysis;

namespace {

/// Columns of a router's sums before the counts and the probabilities of its experts.
enum Column : std::size_t { Tokens, LogitTokens, LogSumExp, TextLoss, Texts, Squares, SquareTokens, Counts };

double ratio(double a, double b) { return b > 0.0 ? a / b : std::nan(""); }

BalanceLoss balanceOf(std::span<const double> sums) {
  const std::size_t experts = (sums.size() - Counts) / 2;
  return balanceLoss(sums.subspan(Counts, experts), sums[Tokens], sums.subspan(Counts + experts, experts),
                     sums[LogitTokens]);
}

/// switch form, summed form, sequence-wise, z-loss, its floor.
std::vector<double> lossesOf(std::span<const double> sums) {
  const BalanceLoss balance = balanceOf(sums);
  const double mean = ratio(sums[LogSumExp], sums[LogitTokens]);
  return {balance.switchForm, balance.summedForm, ratio(sums[TextLoss], sums[Texts]),
          ratio(sums[Squares], sums[SquareTokens]), mean * mean};
}

void addText(const trace::SequenceStats& stats, std::span<double> row) {
  const std::size_t experts = stats.counts.size();
  const std::vector<double> counts(stats.counts.begin(), stats.counts.end());
  const double tokens = static_cast<double>(stats.tokens),
               logitTokens = static_cast<double>(stats.logitTokens);
  row[Tokens] += tokens;
  row[LogitTokens] += logitTokens;
  row[LogSumExp] += stats.logSumExpSum;
  const double loss = balanceLoss(counts, tokens, stats.probabilitySum, logitTokens).switchForm;
  if (std::isfinite(loss)) {
    row[TextLoss] += loss;
    row[Texts] += 1.0;
  }
  for (std::size_t e = 0; e < experts; ++e) {
    row[Counts + e] += counts[e];
    row[Counts + experts + e] += stats.probabilitySum[e];
  }
}

struct Layer {
  UnitSums sums;
  std::vector<BootstrapInterval> intervals;
};

Result<Layer> layerOf(const AnalysisInput& input, const AnalysedRun& run, const ResamplingUnits& units,
                      const TextDraws& draws, int index) {
  const auto experts = static_cast<std::size_t>(run.routers[static_cast<std::size_t>(index)].experts);
  Layer out{UnitSums(units.units, static_cast<int>(Counts + 2 * experts)), {}};
  for (std::size_t text = 0; text < run.sequences.size(); ++text) {
    if (input.stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
    const std::span<double> row = out.sums.row(units.unitOf[text]);
    const auto stats = input.store.sequenceStats(run.record.id, index, run.sequences[text].ordinal);
    if (stats && stats->counts.size() == experts && stats->probabilitySum.size() == experts)
      addText(*stats, row);
    if (run.record.capture < trace::CaptureLevel::Full) continue;
    const auto rows = forEachLogitRow(input, run.record.id, index, run.sequences[text],
                                      [&](std::span<const float> logits, std::span<const std::uint16_t>) {
                                        const double square = squaredLogSumExp(logits);
                                        if (!std::isfinite(square)) return;
                                        row[Squares] += square;
                                        row[SquareTokens] += 1.0;
                                      });
    if (!rows) return fail(rows.error());
  }
  auto intervals = bootstrapSums(out.sums, draws, lossesOf, input.stop);
  if (!intervals) return fail(intervals.error());
  out.intervals = std::move(*intervals);
  return out;
}

ResultTable layerTable(const std::vector<Layer>& layers, const AnalysedRun& run,
                       const LayerSettings& settings) {
  ResultTable out{"losses",
                  "Auxiliary losses by layer",
                  {{"layer", ""},
                   {"tokens", "tokens"},
                   {"load_balance", ""},
                   {"load_balance_low", ""},
                   {"load_balance_high", ""},
                   {"load_balance_summed", ""},
                   {"load_balance_summed_low", ""},
                   {"load_balance_summed_high", ""},
                   {"sequence_wise", ""},
                   {"sequence_wise_low", ""},
                   {"sequence_wise_high", ""},
                   {"z_loss", "nat²"},
                   {"z_loss_low", "nat²"},
                   {"z_loss_high", "nat²"},
                   {"z_loss_floor", "nat²"}},
                  {}};
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const std::vector<double> total = layers[l].sums.total();
    const std::vector<double> values = lossesOf(total);
    std::vector<ResultCell> row{cell(run.routers[static_cast<std::size_t>(settings.routers[l])].layer.value),
                                static_cast<std::int64_t>(total[Tokens])};
    for (std::size_t v = 0; v < 4; ++v) {
      row.push_back(cell(values[v]));
      addInterval(row, layers[l].intervals[v].percentile);
    }
    row.push_back(cell(values[4]));
    out.rows.push_back(std::move(row));
  }
  return out;
}

/// Means over layers, and all layers as if they were one batch (what Hugging Face's function computes).
ResultTable modelTable(const std::vector<Layer>& layers, std::vector<std::string>& notes) {
  ResultTable out{"model",
                  "Auxiliary losses of the model",
                  {{"load_balance", ""},
                   {"load_balance_summed", ""},
                   {"load_balance_pooled", ""},
                   {"sequence_wise", ""},
                   {"z_loss", "nat²"}},
                  {}};
  std::vector<double> sums(5);
  std::set<int> widths;
  for (const Layer& layer : layers) {
    const std::vector<double> values = lossesOf(layer.sums.total());
    for (std::size_t v = 0; v < sums.size(); ++v) sums[v] += values[v] / static_cast<double>(layers.size());
    widths.insert(layer.sums.columns());
  }
  double pooled = std::nan("");
  if (widths.size() == 1) {
    UnitSums all = layers.front().sums;
    for (std::size_t l = 1; l < layers.size(); ++l) all.add(layers[l].sums);
    pooled = balanceOf(all.total()).summedForm;
  } else {
    notes.push_back("layers have different numbers of experts: they cannot be pooled as one batch");
  }
  out.rows.push_back({cell(sums[0]), cell(sums[1]), cell(pooled), cell(sums[2]), cell(sums[3])});
  return out;
}

}  // namespace

const AnalysisInfo& LossesAnalysis::info() const {
  static const AnalysisInfo info{
      "auxiliary-losses",
      "Auxiliary losses",
      "Load-balance loss in both normalisations and by sequence, and router z-loss",
      AnalysisScope::Run,
      trace::CaptureLevel::Ids,
      layerParameters()};
  return info;
}

Result<AnalysisResult> LossesAnalysis::run(const AnalysisInput& input) const {
  const auto run = analysedRun(input.store, input.runs, info().needs);
  if (!run) return fail(run.error());
  const auto settings = layerSettings(input.parameters, run->routers);
  if (!settings) return fail(settings.error());
  const ResamplingUnits units = resamplingUnits(run->sequences);
  const TextDraws draws(units.units, units.units > 1 ? settings->draws : 0, settings->seed);
  std::vector<std::optional<Layer>> parts(settings->routers.size());
  const auto done =
      forEachLayer(input, "Adding up losses", parts.size(), [&](std::size_t index) -> Result<void> {
        auto layer = layerOf(input, *run, units, draws, settings->routers[index]);
        if (!layer) return fail(layer.error());
        parts[index] = std::move(*layer);
        return {};
      });
  if (!done) return fail(done.error());
  std::vector<Layer> layers;
  layers.reserve(parts.size());
  for (auto& part : parts) layers.push_back(std::move(*part));
  AnalysisResult out = resultFor(info(), input, *run);
  const int topK = run->routers[static_cast<std::size_t>(settings->routers.front())].topK;
  out.baseline = fmt::format("uniform routing: load_balance 1, load_balance_summed K = {}", topK);
  out.interval = intervalText(units, settings->draws);
  out.tables = {layerTable(layers, *run, *settings), modelTable(layers, out.notes)};
  out.notes.push_back(
      "load_balance is M sum m_i P_i (Switch, megablocks), load_balance_summed M sum f_i P_i (Hugging "
      "Face, OLMoE's script); neither is a pure load metric: they fall below balance where load and "
      "probability are anti-correlated. No loss weight is applied");
  out.notes.push_back(
      "texts drawn with replacement spread the load less evenly than all texts do: an interval of the "
      "load-balance loss "
      "may lie above its estimate");
  if (run->record.capture < trace::CaptureLevel::Full) {
    out.notes.push_back(
        fmt::format("z_loss needs every token's logits (capture full; this run has {}): record the same "
                    "texts with --capture full. z_loss_floor, the square of the mean, is a lower bound",
                    name(run->record.capture)));
  }
  return out;
}

}  // namespace moescope::router_scores
