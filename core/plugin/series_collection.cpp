#include "core/plugin/series_collection.h"

#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace moescope::plugin {

namespace {

using analysis::AnalysisResult;
using analysis::ResultTable;
using analysis::SeriesMetrics;

/// Columns of tables over a series that are no metrics. `b0a` is the peak factor, which the load has already.
const std::vector<std::string_view> kNoMetrics{
    "step",  "train_tokens",    "router",           "loss_tokens",     "boundary_fits",    "fits", "k_over_m",
    "types", "draws_undefined", "experts_left_out", "gamma_basic_low", "gamma_basic_high", "b0a"};

constexpr double kMostStep = 9007199254740992.0;  // 2^53

void takeLoad(SeriesMetrics& series, const AnalysisResult& result) {
  for (const char* id : {"series", "layers"}) {
    if (const ResultTable* table = result.table(id)) takeMetrics(series, *table, kNoMetrics);
  }
  series.sample = result.sample;
  series.interval = result.interval;
  const ResultTable* baselines = result.table("baseline");
  if (baselines == nullptr) return;
  for (std::size_t row = 0; row < baselines->rows.size(); ++row) {
    const std::string measure = wordAt(*baselines, row, "measure");
    const double uniform = numberAt(*baselines, row, "uniform");
    if (!std::isfinite(uniform)) continue;
    for (analysis::SeriesMetric& metric : series.metrics) {
      if (metric.id != measure || metric.baseline) continue;
      metric.baseline = uniform;
      metric.baselineName = "uniform load";
    }
  }
}

void takeStability(SeriesMetrics& series, const AnalysisResult& result) {
  const ResultTable* table = result.table("agreement");
  if (table == nullptr) return;
  takeMetric(series, *table,
             {.column = "overlap",
              .id = "saturation",
              .where = "against",
              .whereIs = "last",
              .baseline = "overlap_chance",
              .baselineName = "chance"});
  takeMetric(series, *table,
             {.column = "top1_same",
              .id = "saturation_top1",
              .where = "against",
              .whereIs = "last",
              .baseline = "top1_chance",
              .baselineName = "chance"});
  for (const char* column : {"churn", "exact_set", "jaccard", "top1_flip"})
    takeMetric(series, *table, {.column = column, .where = "against", .whereIs = "previous"});
  if (const ResultTable* drift = result.table("drift"))
    takeMetric(series, *drift,
               {.column = "jsd", .id = "load_drift", .where = "against", .whereIs = "previous"});
}

void takeInformation(SeriesMetrics& series, const AnalysisResult& result) {
  const ResultTable* table = result.table("information");
  if (table == nullptr) return;
  takeMetric(
      series, *table,
      {.column = "mi_bits", .id = "mutual_information", .low = "mi_basic_low", .high = "mi_basic_high"});
  takeMetric(series, *table, {.column = "shuffled_bits", .id = "mutual_information_shuffled"});
}

/// Share of the fits on an end of their search range: counted for the mean, "zero" or "max" for a layer.
std::vector<double> boundaryShares(const SeriesMetrics& series, const AnalysisResult& result) {
  std::vector<double> shares(series.checkpoints.size() * series.width(),
                             std::numeric_limits<double>::quiet_NaN());
  if (const ResultTable* means = result.table("series")) {
    const auto on = analysis::columnValues(series, *means, "boundary_fits");
    const auto all = analysis::columnValues(series, *means, "fits");
    for (std::size_t i = 0; i < shares.size(); ++i) {
      if (all[i] > 0.0) shares[i] = on[i] / all[i];
    }
  }
  const ResultTable* layers = result.table("layers");
  if (layers == nullptr) return shares;
  ResultTable numbers = *layers;
  for (std::size_t c = 0; c < numbers.columns.size(); ++c) {
    if (numbers.columns[c].name != "boundary") continue;
    for (auto& row : numbers.rows) {
      const auto* word = std::get_if<std::string>(&row[c]);
      row[c] = word == nullptr ? analysis::ResultCell() : *word == "no" ? 0.0 : 1.0;
    }
  }
  const auto ofLayers = analysis::columnValues(series, numbers, "boundary");
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (std::isfinite(ofLayers[i])) shares[i] = ofLayers[i];
  }
  return shares;
}

void takeCongestion(SeriesMetrics& series, const AnalysisResult& result) {
  for (const char* id : {"series", "layers"}) {
    const ResultTable* table = result.table(id);
    if (table == nullptr) continue;
    takeMetrics(series, *table, kNoMetrics);
    if (series.metric("cv") == nullptr) takeMetric(series, *table, {.column = "b0a", .id = "peak_factor"});
  }
  const auto shares = boundaryShares(series, result);
  for (analysis::SeriesMetric& metric : series.metrics) {
    if (metric.id == "gamma" || metric.id == "gamma_median" || metric.id == "t_eff") metric.boundary = shares;
  }
  series.phases.clear();
  series.phasesNote.clear();
  if (const ResultTable* phases = result.table("phases")) {
    for (std::size_t row = 0; row < phases->rows.size(); ++row) {
      const double first = numberAt(*phases, row, "first_step"), last = numberAt(*phases, row, "last_step");
      // A phase without steps has no place, nor one whose steps no file can mean.
      if (!(std::abs(first) < kMostStep) || !(std::abs(last) < kMostStep)) continue;
      series.phases.push_back(
          {wordAt(*phases, row, "phase"), static_cast<std::int64_t>(first), static_cast<std::int64_t>(last)});
    }
  }
  if (!series.phases.empty())
    series.phasesNote = "Phases found by a fit of three segments, BIC. No causal claim.";
  for (const std::string& note : result.notes) {
    if (note.starts_with("No phases")) series.phasesNote = note;
  }
}

constexpr const char* kNoLoss =
    "No loss: the runs have no finite log-probability; record them again with moescope series.";

struct Step {
  const char* analysis;
  const char* what;  ///< that is missing if it fails
  void (*take)(SeriesMetrics&, const AnalysisResult&);
};
constexpr std::array kSteps{Step{"load-balance", "loss and balance", takeLoad},
                            Step{"stability", "saturation and churn", takeStability},
                            Step{"label-information", "mutual information", takeInformation},
                            Step{"congestion-fit", "congestion fit", takeCongestion}};

/// "No mutual information: the run has no labels; record a corpus with labels."
std::string missingText(const Step& step, const Error& error) {
  std::string text = fmt::format("No {}: {}", step.what, error.message);
  if (!error.where.empty()) text += fmt::format(" ({})", error.where);
  if (!error.advice.empty()) text += "; " + error.advice;
  return text + ".";
}

}  // namespace

Result<SeriesMetrics> collectSeries(const PluginHost& host, trace::TraceStore& store,
                                    const SeriesRequest& request, const SeriesCallbacks& callbacks) {
  const auto first = host.findAnalysis(kSteps.front().analysis);
  if (!first) return fail(first.error());
  const auto runs =
      chosenRuns(store, (*first)->info(), {.analysis = kSteps.front().analysis, .series = request.series});
  if (!runs) return fail(runs.error());
  auto series = analysis::seriesOf(store, request.name, *runs);
  if (!series) return series;
  std::optional<Error> problem;
  bool any = false;
  for (const Step& step : kSteps) {
    AnalysisRequest words{.analysis = step.analysis, .series = request.series};
    words.parameters["draws"] = std::to_string(request.draws);
    if (step.take == takeCongestion) words.parameters["estimator"] = request.estimator;
    const auto take = [&](const AnalysisResult& result) {
      step.take(*series, result);
      fillMeans(*series);
      sortMetrics(*series);
      if (callbacks.partial) callbacks.partial(*series);
    };
    const auto result = runAnalysis(host, store, words, {callbacks.progress, take, callbacks.stop});
    if (callbacks.stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
    if (result) {
      take(*result);
      if (step.take == takeLoad && series->metric("loss") == nullptr) series->missing.emplace_back(kNoLoss);
      for (const std::string& note : result->notes) series->notes.push_back(note);
      any = true;
      continue;
    }
    if (!problem) problem = result.error();
    series->missing.push_back(missingText(step, result.error()));
    if (step.take == takeCongestion) series->phasesNote = "No phases: " + result.error().message + ".";
  }
  if (!any) return fail(*problem);
  return series;
}

}  // namespace moescope::plugin
