#include "core/analysis/series_metrics.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/analysis/load_measure.h"

namespace moescope::analysis {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct KnownMetric {
  std::string_view id, label, unit;
  MetricGroup group;
  std::string_view level = {}, levelName = {};
};

/// Metrics as axes name them, in the order of lists; an empty unit leaves that of the table. Load measures
/// that are not here stand after the loss with the names that tables give them.
constexpr std::array kKnown{
    KnownMetric{"loss", "Loss", "nat per token", MetricGroup::Loss},
    KnownMetric{"cv", "CV", "", MetricGroup::Balance},
    KnownMetric{"peak_factor", "Peak load factor B₀ (a)", "", MetricGroup::Balance},
    KnownMetric{"mri", "MRI, largest selection frequency", "", MetricGroup::Balance},
    KnownMetric{"kl", "KL of the load to uniform", "", MetricGroup::Balance},
    KnownMetric{"l1", "L1 of the load to uniform", "", MetricGroup::Balance},
    KnownMetric{"dead", "Experts never chosen", "", MetricGroup::Balance},
    KnownMetric{"nearly_dead", "Experts chosen under 1 % of mean", "", MetricGroup::Balance},
    KnownMetric{"mutual_information", "Mutual information", "bits per choice", MetricGroup::Information,
                "mutual_information_shuffled", "labels shuffled"},
    KnownMetric{"mutual_information_shuffled", "Mutual information, labels shuffled", "bits per choice",
                MetricGroup::Information},
    KnownMetric{"saturation", "Saturation against the last checkpoint", "", MetricGroup::Stability},
    KnownMetric{"saturation_top1", "First-choice saturation", "", MetricGroup::Stability},
    KnownMetric{"churn", "Churn since the checkpoint before", "", MetricGroup::Stability},
    KnownMetric{"exact_set", "Same set as at the checkpoint before", "", MetricGroup::Stability},
    KnownMetric{"jaccard", "Jaccard with the checkpoint before", "", MetricGroup::Stability},
    KnownMetric{"top1_flip", "First choice changed since before", "", MetricGroup::Stability},
    KnownMetric{"load_drift", "Load drift since before (JSD)", "nat", MetricGroup::Stability},
    KnownMetric{"gamma", "Congestion coefficient γ", "", MetricGroup::Congestion},
    KnownMetric{"gamma_median", "Median γ of the layers", "", MetricGroup::Congestion},
    KnownMetric{"t_eff", "Effective temperature", "", MetricGroup::Congestion},
    KnownMetric{"heldout_l1", "Held-out L1 of the fit", "", MetricGroup::Congestion, "l1_uniform",
                "uniform load"},
    KnownMetric{"l1_uniform", "Held-out L1 of uniform load", "", MetricGroup::Congestion},
    KnownMetric{"l1_softmax", "Held-out L1 of softmax(q)", "", MetricGroup::Congestion},
    KnownMetric{"l1_temperature", "Held-out L1 of softmax(q ÷ τ)", "", MetricGroup::Congestion},
    KnownMetric{"l1_train_load", "Held-out L1 of the train half’s load", "", MetricGroup::Congestion},
    KnownMetric{"l1_multi_type", "Held-out L1 of the fit by type", "", MetricGroup::Congestion},
    KnownMetric{"improvement", "Improvement by types of tokens", "", MetricGroup::Congestion},
    KnownMetric{"b0b", "Un-congested peak factor B₀ (b)", "", MetricGroup::Congestion},
    KnownMetric{"r_quality_load", "Correlation r(q, m) of quality and load", "", MetricGroup::Congestion},
    KnownMetric{"gamma_ols", "γ by least squares", "", MetricGroup::Congestion},
    KnownMetric{"gamma_multi_type", "γ of the fit by type", "", MetricGroup::Congestion},
    KnownMetric{"tau", "Fitted temperature τ", "", MetricGroup::Congestion},
    KnownMetric{"epsilon_nash", "Nash gap ε of the load", "", MetricGroup::Congestion},
    KnownMetric{"epsilon_residual", "Equilibrium residual ε of the load", "", MetricGroup::Congestion},
    KnownMetric{"inclusion_l1", "L1 of K choices without replacement to the fit", "",
                MetricGroup::Congestion},
    KnownMetric{"gamma_explicit", "Explicit γ of the balancing loss", "", MetricGroup::Congestion},
    KnownMetric{"gamma_implicit", "Implicit γ, the rest", "", MetricGroup::Congestion},
};

std::string columnOfMeasure(std::string_view id) {
  std::string column(id);
  std::replace(column.begin(), column.end(), '-', '_');
  return column;
}

const LoadMeasureInfo* measureOf(std::string_view id) {
  for (const LoadMeasureInfo& info : loadMeasures()) {
    if (columnOfMeasure(info.id) == id) return &info;
  }
  return nullptr;
}

std::string wordsOf(std::string text) {
  std::replace(text.begin(), text.end(), '_', ' ');
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

void nameMetric(SeriesMetric& metric) {
  metric.label = wordsOf(metric.id);
  if (const LoadMeasureInfo* measure = measureOf(metric.id)) {
    metric.label = measure->label;
    metric.group = MetricGroup::Balance;
  }
  const auto known = std::ranges::find(kKnown, metric.id, &KnownMetric::id);
  if (known == kKnown.end()) return;
  metric.label = known->label;
  metric.group = known->group;
  metric.level = known->level;
  metric.levelName = known->levelName;
  if (!known->unit.empty()) metric.unit = known->unit;
}

/// Place in lists among the metrics of its group.
std::size_t rankOf(const SeriesMetric& metric) {
  const auto known = std::ranges::find(kKnown, metric.id, &KnownMetric::id);
  if (metric.group != MetricGroup::Balance) return static_cast<std::size_t>(known - kKnown.begin());
  // CV and the peak factor lead, then the measures in the order of their table.
  if (metric.id == "cv") return 0;
  if (metric.id == "peak_factor") return 1;
  const LoadMeasureInfo* measure = measureOf(metric.id);
  return measure == nullptr ? loadMeasures().size() + 2 : static_cast<std::size_t>(measure->measure) + 2;
}

bool isNumeric(const ResultTable& table, std::size_t column) {
  bool any = false;
  for (const auto& row : table.rows) {
    if (std::holds_alternative<std::string>(row[column])) return false;
    any = any || !std::holds_alternative<std::monostate>(row[column]);
  }
  return any;
}

/// 0 for the mean, 1 + i for layer i; nothing for a layer that the series does not have.
std::optional<std::size_t> place(const SeriesMetrics& series, const ResultCell& cell) {
  std::int64_t layer = 0;
  if (const auto* text = std::get_if<std::string>(&cell)) {
    if (*text == "mean") return 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), layer);
    if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  } else if (const auto* number = std::get_if<std::int64_t>(&cell)) {
    layer = *number;
  } else {
    return std::nullopt;
  }
  const auto found = std::find(series.layers.begin(), series.layers.end(), layer);
  if (found == series.layers.end()) return std::nullopt;
  return 1 + static_cast<std::size_t>(found - series.layers.begin());
}

/// Where a row's numbers belong in the lists of a metric.
std::optional<std::size_t> indexOf(const SeriesMetrics& series, const std::vector<ResultCell>& row,
                                   std::size_t runColumn, std::optional<std::size_t> layerColumn) {
  const double run = numberOf(row[runColumn]);
  const auto found = std::find_if(series.checkpoints.begin(), series.checkpoints.end(),
                                  [run](const auto& c) { return static_cast<double>(c.run) == run; });
  const auto column = layerColumn ? place(series, row[*layerColumn]) : 0;
  if (found == series.checkpoints.end() || !column) return std::nullopt;
  return series.at(static_cast<std::size_t>(found - series.checkpoints.begin()), *column);
}

bool isEndOfInterval(const ResultTable& table, const std::string& name) {
  for (const std::string_view suffix : {"_low", "_high"}) {
    if (name.ends_with(suffix) && columnOf(table, name.substr(0, name.size() - suffix.size()))) return true;
  }
  return false;
}

SeriesMetric& metricFor(SeriesMetrics& series, const std::string& id, const std::string& unit) {
  const auto found = std::find_if(series.metrics.begin(), series.metrics.end(),
                                  [&](const SeriesMetric& m) { return m.id == id; });
  if (found != series.metrics.end()) return *found;
  const std::size_t size = series.checkpoints.size() * series.width();
  SeriesMetric metric;
  metric.id = id;
  metric.unit = unit;
  nameMetric(metric);
  metric.values.assign(size, kNan);
  metric.low.assign(size, kNan);
  metric.high.assign(size, kNan);
  return series.metrics.emplace_back(std::move(metric));
}

std::optional<std::size_t> endColumn(const ResultTable& table, const MetricColumn& column,
                                     std::string_view given, std::string_view suffix) {
  return columnOf(table,
                  given.empty() ? std::string(column.column) + std::string(suffix) : std::string(given));
}

bool isWanted(const std::vector<ResultCell>& row, std::optional<std::size_t> where, std::string_view value) {
  if (!where) return true;
  const auto* text = std::get_if<std::string>(&row[*where]);
  return text != nullptr && *text == value;
}

}  // namespace

std::string_view headingOf(MetricGroup group) {
  switch (group) {
    case MetricGroup::Loss: return "Loss";
    case MetricGroup::Balance: return "Balance";
    case MetricGroup::Information: return "Experts and labels";
    case MetricGroup::Stability: return "Saturation and churn";
    case MetricGroup::Congestion: return "Congestion fit (R1)";
    case MetricGroup::Other: break;
  }
  return "Other";
}

const SeriesMetric* SeriesMetrics::metric(std::string_view id) const {
  const auto found =
      std::find_if(metrics.begin(), metrics.end(), [id](const SeriesMetric& m) { return m.id == id; });
  return found == metrics.end() ? nullptr : &*found;
}

Result<SeriesMetrics> seriesOf(const trace::TraceStore& store, const std::string& name,
                               const std::vector<trace::RunId>& runs) {
  SeriesMetrics series;
  series.name = name;
  for (const trace::RunId id : runs) {
    const auto run = store.run(id);
    if (!run)
      return fail("analysis.no_such_run", store.path().string(), fmt::format("run {}", id),
                  "the trace has no such run");
    const std::string label = run->trainStep                 ? fmt::format("step {}", *run->trainStep)
                              : run->checkpointLabel.empty() ? run->name
                                                             : run->checkpointLabel;
    series.checkpoints.push_back({id, label, run->trainStep, run->trainTokens});
  }
  if (!runs.empty()) {
    for (const RouterSpec& router : store.routers(runs.front())) series.layers.push_back(router.layer.value);
  }
  return series;
}

void takeMetric(SeriesMetrics& series, const ResultTable& table, const MetricColumn& column) {
  const auto runColumn = columnOf(table, "run");
  const auto layerColumn = columnOf(table, "layer");
  const auto value = columnOf(table, column.column);
  if (!runColumn || !value) return;
  const auto low = endColumn(table, column, column.low, "_low");
  const auto high = endColumn(table, column, column.high, "_high");
  const auto baseline = columnOf(table, column.baseline);
  const auto where = columnOf(table, column.where);
  const std::string id(column.id.empty() ? column.column : column.id);
  SeriesMetric& metric = metricFor(series, id, table.columns[*value].unit);
  for (const auto& row : table.rows) {
    const auto index = indexOf(series, row, *runColumn, layerColumn);
    if (!index || !isWanted(row, where, column.whereIs)) continue;
    metric.values[*index] = numberOf(row[*value]);
    if (low) metric.low[*index] = numberOf(row[*low]);
    if (high) metric.high[*index] = numberOf(row[*high]);
    if (baseline && !metric.baseline && std::isfinite(numberOf(row[*baseline]))) {
      metric.baseline = numberOf(row[*baseline]);
      metric.baselineName = column.baselineName;
    }
  }
}

void takeMetrics(SeriesMetrics& series, const ResultTable& table,
                 const std::vector<std::string_view>& leaveOut) {
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    const std::string& name = table.columns[c].name;
    if (name == "run" || name == "layer" || isEndOfInterval(table, name) || !isNumeric(table, c)) continue;
    if (std::find(leaveOut.begin(), leaveOut.end(), name) != leaveOut.end()) continue;
    takeMetric(series, table, {name});
  }
}

std::vector<double> columnValues(const SeriesMetrics& series, const ResultTable& table,
                                 std::string_view column) {
  std::vector<double> values(series.checkpoints.size() * series.width(), kNan);
  const auto runColumn = columnOf(table, "run");
  const auto layerColumn = columnOf(table, "layer");
  const auto value = columnOf(table, column);
  if (!runColumn || !value) return values;
  for (const auto& row : table.rows) {
    if (const auto index = indexOf(series, row, *runColumn, layerColumn))
      values[*index] = numberOf(row[*value]);
  }
  return values;
}

void sortMetrics(SeriesMetrics& series) {
  std::ranges::stable_sort(series.metrics, [](const SeriesMetric& a, const SeriesMetric& b) {
    return std::pair(a.group, rankOf(a)) < std::pair(b.group, rankOf(b));
  });
}

void fillMeans(SeriesMetrics& series) {
  for (SeriesMetric& metric : series.metrics) {
    for (std::size_t c = 0; c < series.checkpoints.size(); ++c) {
      double& mean = metric.values[series.at(c, 0)];
      if (std::isfinite(mean) || series.layers.empty()) continue;
      double sum = 0.0;
      for (std::size_t layer = 1; layer < series.width(); ++layer) sum += metric.values[series.at(c, layer)];
      mean = sum / static_cast<double>(series.layers.size());
    }
  }
}

}  // namespace moescope::analysis
