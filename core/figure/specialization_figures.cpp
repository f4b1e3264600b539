#include "core/figure/specialization_figures.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "core/analysis/result_cells.h"
#include "core/base/router_label.h"
#include "core/figure/number_text.h"
#include "core/figure/ticks.h"

namespace moescope::figure {

namespace {

using analysis::AnalysisResult;
using analysis::ResultCell;
using analysis::ResultMatrix;
using analysis::ResultTable;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kPercent = 100.0;
constexpr double kLowRatio = 0.25, kHighRatio = 4.0;  // ui.md 2.3
constexpr int kExpertTicks = 16;

std::size_t cellIndex(const ResultMatrix& matrix, std::size_t row, std::size_t column) {
  return row * matrix.columnNames.size() + column;
}

Error noSuchLayer(const RouterKey& router) {
  return {"figure.no_such_layer", "", "layer " + routerLabel(router), "the result does not have this layer",
          "choose another layer or run the analysis on all layers"};
}

Error badResult(std::string what) {
  return {"figure.bad_result", "", std::move(what), "the result does not have what the figure needs",
          "run the analysis again"};
}

FigureSpec start(const AnalysisResult& result, const std::string& kind, const std::string& title) {
  FigureSpec spec;
  spec.kind = kind;
  spec.title = title;
  spec.sampleLine = result.sample;
  spec.baseline = result.baseline;
  spec.provenance.emplace_back("analysis", result.analysis);
  for (const auto& [name, value] : result.parameters) spec.provenance.emplace_back(name, value);
  spec.provenance.emplace_back("interval", result.interval);
  return spec;
}

/// Tokens of each label of the matrix, NaN where the table of labels does not name it.
std::vector<double> labelTokens(const AnalysisResult& result, const ResultMatrix& matrix) {
  std::vector<double> tokens(matrix.rowNames.size(), kNan);
  const ResultTable* labels = result.table("labels");
  if (labels == nullptr) return tokens;
  for (std::size_t row = 0; row < labels->rows.size() && row < tokens.size(); ++row)
    tokens[row] = numberAt(*labels, row, "tokens");
  return tokens;
}

/// "5" of "60 windows of 5 texts": how many texts a label has, by what the analysis resampled. Empty where
/// labels are no matter of texts: they then have the texts of the run in common.
std::vector<std::string> labelTexts(const AnalysisResult& result) {
  const ResultTable* labels = result.table("labels");
  const auto source = result.parameters.find("labels");
  const bool perText = source == result.parameters.end() || source->second.starts_with("corpus");
  std::vector<std::string> texts;
  for (std::size_t row = 0; perText && labels != nullptr && row < labels->rows.size(); ++row) {
    const std::string words = wordAt(*labels, row, "resampled");
    const std::size_t end = words.rfind(" text");
    if (end == std::string::npos) return {};
    const std::size_t begin = words.find_last_not_of("0123456789", end - 1) + 1;
    texts.push_back(words.substr(begin, end - begin));
  }
  return texts;
}

void addLabelColumns(FigureSpec& spec, const std::vector<double>& tokens, std::vector<std::string> texts) {
  SideColumn bars{"", {}, {}};
  SideColumn counts{"tokens", {}, {}};
  const double most = std::max(*std::max_element(tokens.begin(), tokens.end()), 1.0);
  for (const double count : tokens) {
    bars.shares.push_back(std::isfinite(count) ? count / most : 0.0);
    counts.texts.push_back(std::isfinite(count) ? countText(std::llround(count)) : "");
  }
  spec.sideColumns = {std::move(bars), std::move(counts)};
  if (texts.size() == tokens.size()) spec.sideColumns.push_back({"texts", std::move(texts), {}});
}

ColourScale scaleOf(SpecializationValue value, const std::vector<double>& values, double chance) {
  if (value == SpecializationValue::RateRatio)
    return {ColourMapId::Diverging, ScaleKind::Log2, kLowRatio, kHighRatio,
            fmt::format("Choices per token ÷ chance ({})", percentText(chance))};
  double most = 0.0;
  for (const double v : values) most = std::isfinite(v) ? std::max(most, v) : most;
  return {ColourMapId::Cividis, ScaleKind::Linear, 0.0, most > 0.0 ? most : 1.0,
          value == SpecializationValue::Rate ? "Choices per token, %" : "Part of the expert’s choices, %"};
}

double shownValue(const ResultMatrix& matrix, std::size_t index, SpecializationValue value) {
  const double chance = matrix.baseline.value_or(kNan);
  return value == SpecializationValue::RateRatio ? matrix.values[index] / chance
                                                 : kPercent * matrix.values[index];
}

bool includesChance(const ResultMatrix& rates, std::size_t index) {
  if (rates.low.empty() || rates.high.empty() || !rates.baseline) return false;
  return rates.low[index] <= *rates.baseline && rates.high[index] >= *rates.baseline;
}

Axis categories(const std::string& label, const std::vector<std::string>& names) {
  Axis axis;
  axis.label = label;
  axis.kind = AxisKind::Category;
  axis.min = -0.5;
  axis.max = static_cast<double>(names.size()) - 0.5;
  axis.reversed = true;
  for (std::size_t i = 0; i < names.size(); ++i) axis.ticks.emplace_back(static_cast<double>(i), names[i]);
  return axis;
}

std::vector<std::pair<double, std::string>> expertTicksOf(const std::vector<int>& experts) {
  std::vector<std::pair<double, std::string>> ticks;
  const std::size_t step = std::max<std::size_t>(1, (experts.size() + kExpertTicks - 1) / kExpertTicks);
  for (std::size_t c = 0; c < experts.size(); c += step)
    ticks.emplace_back(static_cast<double>(c), std::to_string(experts[c]));
  return ticks;
}

Axis percentAxis(const std::string& label, double most) {
  Axis axis;
  axis.label = label;
  axis.max = most > 0.0 ? 1.08 * most : 1.0;
  axis.suffix = " %";
  return axis;
}

HeatMap mapOf(const ResultMatrix& shown, const ResultMatrix& rates, const std::vector<int>& experts,
              const std::vector<double>& tokens, const SpecializationFigureOptions& options) {
  HeatMap map;
  map.rows = static_cast<int>(shown.rowNames.size());
  map.columns = static_cast<int>(experts.size());
  map.rowNames = shown.rowNames;
  map.missingText = fmt::format("fewer than {} tokens", kFewLabelTokens);
  for (int row = 0; row < map.rows; ++row) {
    const auto r = static_cast<std::size_t>(row);
    const bool isFew = tokens[r] < static_cast<double>(kFewLabelTokens);
    if (isFew) map.missingRows.push_back(row);
    for (int column = 0; column < map.columns; ++column) {
      const auto e = static_cast<std::size_t>(experts[static_cast<std::size_t>(column)]);
      map.values.push_back(shownValue(shown, cellIndex(shown, r, e), options.value));
      map.indistinct.push_back(options.greyIndistinct && !isFew &&
                               includesChance(rates, cellIndex(rates, r, e)));
    }
  }
  for (const int expert : experts) map.columnNames.push_back(std::to_string(expert));
  map.colours = scaleOf(options.value, map.values, rates.baseline.value_or(kNan));
  return map;
}

}  // namespace

const ResultMatrix* layerMatrix(const AnalysisResult& result, std::string_view name,
                                const RouterKey& router) {
  return result.matrix(analysis::matrixId(name, router));
}

RouterKey routerAt(const ResultTable& table, std::size_t row) {
  const double layer = numberAt(table, row, "layer");
  return {{std::isfinite(layer) ? static_cast<std::int32_t>(layer) : -1}, wordAt(table, row, "kind")};
}

std::vector<int> expertsInOrder(const ResultMatrix& rates, ExpertOrder order) {
  std::vector<int> experts(rates.columnNames.size());
  std::iota(experts.begin(), experts.end(), 0);
  if (order == ExpertOrder::Number || rates.rowNames.empty()) return experts;
  const auto rate = [&](std::size_t row, int expert) {
    const double value = rates.values[cellIndex(rates, row, static_cast<std::size_t>(expert))];
    return std::isfinite(value) ? value : -1.0;
  };
  const auto best = [&](int expert) {
    std::size_t found = 0;
    for (std::size_t row = 1; row < rates.rowNames.size(); ++row) {
      if (rate(row, expert) > rate(found, expert)) found = row;
    }
    return found;
  };
  std::stable_sort(experts.begin(), experts.end(), [&](int a, int b) {
    const std::size_t rowA = best(a), rowB = best(b);
    if (rowA != rowB) return rowA < rowB;
    return rate(rowA, a) > rate(rowB, b);
  });
  return experts;
}

Result<FigureSpec> specializationFigure(const AnalysisResult& result, const RouterKey& router,
                                        const SpecializationFigureOptions& options) {
  const ResultMatrix* rates = layerMatrix(result, "rates", router);
  const ResultMatrix* shares = layerMatrix(result, "shares", router);
  if (rates == nullptr) return fail(noSuchLayer(router));
  const ResultMatrix* shown = options.value == SpecializationValue::Share ? shares : rates;
  if (shown == nullptr || !rates->baseline || rates->rowNames.empty()) return fail(badResult("rates"));
  const std::vector<int> experts = expertsInOrder(*rates, options.order);
  const std::vector<double> tokens = labelTokens(result, *rates);
  FigureSpec spec = start(result, "specialization",
                          fmt::format("Layer {}: which labels choose which experts", routerLabel(router)));
  spec.widthInches = 6.75;
  spec.heightInches = 0.9 + 0.2 * static_cast<double>(rates->rowNames.size());
  spec.map = mapOf(*shown, *rates, experts, tokens, options);
  spec.x.label = "Expert";
  spec.x.min = -0.5;
  spec.x.max = static_cast<double>(experts.size()) - 0.5;
  spec.x.ticks = expertTicksOf(experts);
  spec.y = categories("", rates->rowNames);
  addLabelColumns(spec, tokens, labelTexts(result));
  return spec;
}

Result<FigureSpec> labelInformationFigure(const AnalysisResult& result,
                                          const std::optional<RouterKey>& selected) {
  const ResultTable* table = result.table("information");
  if (table == nullptr || table->rows.empty()) return fail(badResult("information"));
  FigureSpec spec = start(result, "label-information", "Mutual information of label and expert, per layer");
  Line estimate, corrected, shuffled;
  estimate.name = "estimate, 95 % interval";
  estimate.marker = Marker::Circle;
  corrected.name = "bias-corrected (Miller–Madow)";
  corrected.marker = Marker::Ring;
  corrected.colour = kPlainColour;
  shuffled.name = "labels shuffled, largest";
  shuffled.marker = Marker::Tick;
  shuffled.colour = 2;
  for (Line* line : {&estimate, &corrected, &shuffled}) line->joined = false;
  std::vector<std::string> names;
  double most = 0.0;
  for (std::size_t row = 0; row < table->rows.size(); ++row) {
    const auto y = static_cast<double>(row);
    const RouterKey router = routerAt(*table, row);
    names.push_back(shortRouterLabel(router));
    const auto add = [&](Line& line, std::string_view column) {
      line.x.push_back(numberAt(*table, row, column));
      line.y.push_back(y);
      most = std::isfinite(line.x.back()) ? std::max(most, line.x.back()) : most;
    };
    add(estimate, "mi_bits");
    add(corrected, "miller_madow_bits");
    add(shuffled, "shuffled_max_bits");
    estimate.xLow.push_back(std::max(numberAt(*table, row, "mi_basic_low"), 0.0));
    estimate.xHigh.push_back(numberAt(*table, row, "mi_basic_high"));
    if (std::isfinite(estimate.xHigh.back())) most = std::max(most, estimate.xHigh.back());
    if (selected && routerLabel(*selected) == routerLabel(router))
      spec.bands.push_back({y - 0.5, y + 0.5, "", "", 3, true});
  }
  spec.x.label = "Mutual information, bits per choice";
  spec.x.max = most > 0.0 ? 1.05 * most : 1.0;
  spec.y = categories("", names);
  spec.lines = {std::move(estimate), std::move(corrected), std::move(shuffled)};
  return spec;
}

Result<FigureSpec> vocabularyFigure(const AnalysisResult& result) {
  const ResultTable* table = result.table("values");
  if (table == nullptr || table->rows.empty()) return fail(badResult("values"));
  FigureSpec spec = start(result, "vocabulary", "How far a token tells the expert, per layer");
  std::vector<std::string> layers;
  std::vector<Line> controls;
  double chance = kNan;
  for (std::size_t row = 0; row < table->rows.size(); ++row) {
    const std::string key = wordAt(*table, row, "key");
    const std::string layer = shortRouterLabel(routerAt(*table, row));
    if (std::find(layers.begin(), layers.end(), layer) == layers.end()) layers.push_back(layer);
    const auto y = static_cast<double>(std::find(layers.begin(), layers.end(), layer) - layers.begin());
    auto line =
        std::find_if(spec.lines.begin(), spec.lines.end(), [&](const Line& l) { return l.name == key; });
    if (line == spec.lines.end()) {
      const int colour = static_cast<int>(spec.lines.size());
      spec.lines.emplace_back();
      line = std::prev(spec.lines.end());
      line->name = key;
      line->colour = colour;
      line->joined = false;
      controls.push_back(*line);
      controls.back().name = key + ", ids shuffled";
      controls.back().marker = Marker::Tick;
    }
    Line& control = controls[static_cast<std::size_t>(line - spec.lines.begin())];
    line->x.push_back(kPercent * numberAt(*table, row, "token_weighted"));
    line->xLow.push_back(kPercent * numberAt(*table, row, "token_weighted_low"));
    line->xHigh.push_back(kPercent * numberAt(*table, row, "token_weighted_high"));
    line->y.push_back(y);
    control.x.push_back(kPercent * numberAt(*table, row, "token_weighted_shuffled"));
    control.y.push_back(y);
    chance = numberAt(*table, row, "chance");
  }
  spec.lines.insert(spec.lines.end(), controls.begin(), controls.end());
  spec.x = percentAxis("Largest share of one expert, by token id", kPercent / 1.08);
  spec.y = categories("", layers);
  if (std::isfinite(chance))
    spec.references.push_back({false, kPercent * chance, "chance " + percentText(chance), true});
  return spec;
}

Result<FigureSpec> expertRatesFigure(const AnalysisResult& result, const RouterKey& router,
                                     ExpertIndex expert) {
  const ResultMatrix* rates = layerMatrix(result, "rates", router);
  if (rates == nullptr) return fail(noSuchLayer(router));
  const auto column = static_cast<std::size_t>(std::max(expert.value, 0));
  if (column >= rates->columnNames.size() || !rates->baseline)
    return fail(badResult(fmt::format("expert {}", expert.value)));
  FigureSpec spec =
      start(result, "expert-rates",
            fmt::format("Layer {}, expert {}: selection rate by label", routerLabel(router), expert.value));
  std::vector<std::size_t> order(rates->rowNames.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const double left = rates->values[cellIndex(*rates, a, column)];
    const double right = rates->values[cellIndex(*rates, b, column)];
    return (std::isfinite(left) ? left : -1.0) > (std::isfinite(right) ? right : -1.0);
  });
  Bars bars;
  bars.horizontal = true;
  bars.colour = 0;
  SideColumn rate{"rate", {}, {}}, interval{"95 % interval", {}, {}};
  std::vector<std::string> names;
  double most = kPercent * *rates->baseline;
  for (const std::size_t row : order) {
    const std::size_t index = cellIndex(*rates, row, column);
    const double value = kPercent * rates->values[index];
    names.push_back(rates->rowNames[row]);
    bars.values.push_back(value);
    bars.names.push_back(rates->rowNames[row]);
    bars.faint.push_back(includesChance(*rates, index));
    rate.texts.push_back(decimalText(value, 1) + " %");
    most = std::isfinite(value) ? std::max(most, value) : most;
    if (rates->low.empty()) continue;
    bars.low.push_back(kPercent * rates->low[index]);
    bars.high.push_back(kPercent * rates->high[index]);
    interval.texts.push_back(
        fmt::format("[{}, {}]", decimalText(bars.low.back(), 1), decimalText(bars.high.back(), 1)));
    if (std::isfinite(bars.high.back())) most = std::max(most, bars.high.back());
  }
  spec.bars = std::move(bars);
  spec.x = percentAxis(fmt::format("Tokens of the label that choose expert {}", expert.value), most);
  spec.y = categories("", names);
  spec.references.push_back(
      {false, kPercent * *rates->baseline, "chance " + percentText(*rates->baseline), true});
  spec.sideColumns = {std::move(rate)};
  if (!interval.texts.empty()) spec.sideColumns.push_back(std::move(interval));
  return spec;
}

}  // namespace moescope::figure
