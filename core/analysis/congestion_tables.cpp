#include "core/analysis/congestion_tables.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/analysis/congestion_notes.h"
#include "core/analysis/result_cells.h"
#include "core/analysis/series_columns.h"

namespace moescope::analysis {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
using Row = std::vector<ResultCell>;

void addInterval(Row& row, const Estimate& estimate) {
  for (const double value : {estimate.value, estimate.low, estimate.high}) row.push_back(cell(value));
}

void addBasic(Row& row, const Estimate& estimate) {
  row.push_back(cell(estimate.basicLow));
  row.push_back(cell(estimate.basicHigh));
}

void addNumbers(Row& row, std::initializer_list<double> values) {
  for (const double value : values) row.push_back(cell(value));
}

/// Without a known loss a router that balances by a selection bias has no price.
double explicitGamma(const Decomposition& decomposition, const SeriesLoads& loads, int experts) {
  if (!decomposition.alpha) return loads.largestBias > 0.0 ? 0.0 : kNaN;
  return decomposition.factor * *decomposition.alpha * experts;
}

std::string boundaryWord(GammaBoundary boundary) {
  constexpr std::array<const char*, 3> kWords{"no", "zero", "largest"};
  return kWords[static_cast<std::size_t>(boundary)];
}

/// What both tables hold after their first columns: the fit beside its baselines.
void addScoreColumns(std::vector<ResultColumn>& columns) {
  addIntervalColumns(columns, "heldout_l1");
  for (const char* name :
       {"l1_uniform", "l1_softmax", "l1_temperature", "l1_train_load", "l1_multi_type", "improvement"})
    columns.push_back({name, ""});
  addIntervalColumns(columns, "b0a");
  addIntervalColumns(columns, "b0b");
  for (const char* name : {"r_quality_load", "gamma_ols", "tau", "k_over_m", "inclusion_l1"})
    columns.push_back({name, ""});
  columns.push_back({"epsilon_nash", "nat"});
  columns.push_back({"epsilon_residual", ""});
  columns.push_back({"gamma_explicit", "nat"});
  columns.push_back({"gamma_implicit", "nat"});
}

ResultTable layerTable(const SeriesLoads& loads, const CongestionSeries& series,
                       const Decomposition& decomposition) {
  ResultTable table{"layers", "Congestion fit by layer", checkpointColumns(), {}};
  table.columns.insert(table.columns.end(), {{"layer", ""}, {"router", ""}});
  addIntervalColumns(table.columns, "gamma", "nat");
  table.columns.insert(
      table.columns.end(),
      {{"gamma_basic_low", "nat"}, {"gamma_basic_high", "nat"}, {"boundary", ""}, {"t_eff", ""}});
  addScoreColumns(table.columns);
  table.columns.insert(table.columns.end(), {{"tau_boundary", ""},
                                             {"experts_left_out", "experts"},
                                             {"draws_undefined", "draws"},
                                             {"gamma_multi_type", "nat"},
                                             {"types", ""}});
  for (std::size_t p = 0; p < series.points.size(); ++p) {
    for (std::size_t r = 0; r < loads.routers.size(); ++r) {
      const LayerFit& layer = series.points[p].layers[r];
      const CongestionFit& fit = layer.fit;
      const RouterSpec& router = loads.routers[r];
      const double priced = explicitGamma(decomposition, loads, router.experts);
      Row row = pointCells(loads.points[p]);
      row.emplace_back(std::int64_t{router.layer.value});
      row.emplace_back(static_cast<std::int64_t>(r));
      addInterval(row, layer.gamma);
      addBasic(row, layer.gamma);
      row.emplace_back(boundaryWord(fit.boundary));
      addNumbers(row, {fit.temperature});
      addInterval(row, layer.heldOutL1);
      addNumbers(row, {fit.uniformL1, fit.softmaxL1, fit.temperatureL1, fit.trainLoadL1,
                       layer.multiType ? layer.multiType->heldOutL1 : kNaN, layer.improvement});
      addInterval(row, layer.peakFactor);
      addInterval(row, layer.uncongestedPeak);
      addNumbers(row, {fit.qualityCorrelation, fit.gammaOls, fit.tau,
                       static_cast<double>(router.topK) / router.experts, fit.inclusionL1, fit.epsilonNash,
                       fit.epsilonResidual, priced, fit.gamma - priced});
      row.emplace_back(std::string(fit.tauBoundary ? "yes" : "no"));
      row.emplace_back(std::int64_t{fit.leftOut});
      row.emplace_back(std::int64_t{layer.undefinedDraws});
      addNumbers(row, {layer.multiType ? layer.multiType->gamma : kNaN});
      row.push_back(layer.multiType ? ResultCell(std::int64_t{layer.multiType->types}) : ResultCell());
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

ResultTable checkpointTable(const SeriesLoads& loads, const CongestionSeries& series,
                            const Decomposition& decomposition) {
  ResultTable table{"series", "Congestion fit by checkpoint, means over layers", checkpointColumns(), {}};
  addIntervalColumns(table.columns, "gamma", "nat");
  table.columns.insert(table.columns.end(), {{"gamma_basic_low", "nat"}, {"gamma_basic_high", "nat"}});
  addIntervalColumns(table.columns, "gamma_median", "nat");
  addIntervalColumns(table.columns, "t_eff");
  table.columns.insert(table.columns.end(), {{"boundary_fits", "layers"}, {"fits", "layers"}});
  addScoreColumns(table.columns);
  for (std::size_t p = 0; p < series.points.size(); ++p) {
    const CheckpointFit& point = series.points[p];
    const auto mean = [&](const auto& valueOf) {
      std::vector<double> values;
      for (std::size_t r = 0; r < point.layers.size(); ++r)
        values.push_back(valueOf(point.layers[r], loads.routers[r]));
      return meanOf(values);
    };
    const auto meanFit = [&](double CongestionFit::*member) {
      return mean([member](const LayerFit& l, const RouterSpec&) { return l.fit.*member; });
    };
    const double priced = mean(
        [&](const LayerFit&, const RouterSpec& r) { return explicitGamma(decomposition, loads, r.experts); });
    Row row = pointCells(loads.points[p]);
    addInterval(row, point.gamma);
    addBasic(row, point.gamma);
    addInterval(row, point.gammaMedian);
    addInterval(row, point.temperature);
    row.emplace_back(std::int64_t{point.boundaryFits});
    row.emplace_back(static_cast<std::int64_t>(point.layers.size()));
    addInterval(row, point.heldOutL1);
    addNumbers(row, {meanFit(&CongestionFit::uniformL1), meanFit(&CongestionFit::softmaxL1),
                     meanFit(&CongestionFit::temperatureL1), meanFit(&CongestionFit::trainLoadL1),
                     mean([](const LayerFit& l, const RouterSpec&) {
                       return l.multiType ? l.multiType->heldOutL1 : kNaN;
                     }),
                     mean([](const LayerFit& l, const RouterSpec&) { return l.improvement; })});
    addInterval(row, point.peakFactor);
    addInterval(row, point.uncongestedPeak);
    addNumbers(row, {meanFit(&CongestionFit::qualityCorrelation), meanFit(&CongestionFit::gammaOls),
                     meanFit(&CongestionFit::tau), mean([](const LayerFit&, const RouterSpec& r) {
                       return static_cast<double>(r.topK) / r.experts;
                     }),
                     meanFit(&CongestionFit::inclusionL1), meanFit(&CongestionFit::epsilonNash),
                     meanFit(&CongestionFit::epsilonResidual), priced, point.gamma.value - priced});
    table.rows.push_back(std::move(row));
  }
  return table;
}

ResultTable estimatorTable(const SeriesLoads& loads, const CongestionSeries& series) {
  ResultTable table{"estimators", "Mean gamma by quality estimator", checkpointColumns(), {}};
  for (int e = 0; e < kQualityEstimators; ++e)
    table.columns.push_back({"gamma_" + std::string(name(static_cast<QualityEstimator>(e))), "nat"});
  for (std::size_t p = 0; p < series.points.size(); ++p) {
    Row row = pointCells(loads.points[p]);
    for (const double gamma : series.points[p].gammaBy) row.push_back(cell(gamma));
    table.rows.push_back(std::move(row));
  }
  return table;
}

ResultTable agreementTable(const CongestionSeries& series) {
  ResultTable table{"agreement",
                    "Correlation of the gamma series of two estimators",
                    {{"estimator_a", ""}, {"estimator_b", ""}, {"r", ""}},
                    {}};
  for (const EstimatorAgreement& pair : series.agreement)
    table.rows.push_back({std::string(name(pair.a)), std::string(name(pair.b)), cell(pair.r)});
  return table;
}

ResultTable phaseTable(const SeriesLoads& loads, const CongestionSeries& series) {
  ResultTable table{"phases",
                    "Phases by gamma",
                    {{"phase", ""},
                     {"first_run", ""},
                     {"last_run", ""},
                     {"first_step", "steps"},
                     {"last_step", "steps"},
                     {"slope", "nat per log step"},
                     {"slope_low", "nat per log step"},
                     {"slope_high", "nat per log step"},
                     {"b0a_log_slope", ""}},
                    {}};
  for (const Phase& phase : series.phases.phases) {
    const SeriesPoint& first = loads.points[phase.first];
    const SeriesPoint& last = loads.points[phase.last];
    table.rows.push_back({std::string(name(phase.kind)), ResultCell(first.run), ResultCell(last.run),
                          cell(first.step), cell(last.step), cell(phase.slope), cell(phase.slopeInterval.low),
                          cell(phase.slopeInterval.high), cell(phase.peakFactorSlope)});
  }
  return table;
}

}  // namespace

AnalysisResult congestionResult(const SeriesLoads& loads, const CongestionSeries& series,
                                const CongestionSettings& settings, const Decomposition& decomposition) {
  AnalysisResult result;
  result.sample = loads.sample;
  result.baseline = "held-out L1 of uniform load, of softmax(q), of softmax(q / tau) and of the train load";
  result.interval = congestionInterval(loads, series, settings);
  result.notes = congestionNotes(loads, series, settings, decomposition);
  result.tables = {checkpointTable(loads, series, decomposition), layerTable(loads, series, decomposition),
                   estimatorTable(loads, series), agreementTable(series), phaseTable(loads, series)};
  return result;
}

}  // namespace moescope::analysis
