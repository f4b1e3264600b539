#include "core/figure/co_activation_figures.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "core/base/router_label.h"
#include "core/figure/number_text.h"
#include "core/figure/specialization_figures.h"

namespace moescope::figure {

namespace {

using analysis::AnalysisResult;
using analysis::ResultMatrix;
using analysis::ResultTable;

constexpr double kPercent = 100.0;
constexpr std::size_t kTicks = 16;

}  // namespace

std::vector<int> pairExperts(const AnalysisResult& result, const RouterKey& router, PairOrder order) {
  const ResultMatrix* matrix = layerMatrix(result, "co_activation", router);
  std::vector<int> experts(matrix == nullptr ? 0 : matrix->rowNames.size());
  std::iota(experts.begin(), experts.end(), 0);
  const ResultTable* table = result.table("order");
  if (order == PairOrder::Number || table == nullptr) return experts;
  std::vector<int> clustered;
  for (std::size_t row = 0; row < table->rows.size(); ++row) {
    const double expert = numberAt(*table, row, "expert");
    if (routerLabel(routerAt(*table, row)) == routerLabel(router) && expert >= 0.0 &&
        expert < static_cast<double>(experts.size()))
      clustered.push_back(static_cast<int>(expert));
  }
  auto sorted = clustered;
  std::sort(sorted.begin(), sorted.end());
  return sorted == experts ? clustered : experts;  // what is no order of all experts is not used
}

Result<FigureSpec> coActivationFigure(const AnalysisResult& result, const RouterKey& router,
                                      PairOrder order) {
  const ResultMatrix* matrix = layerMatrix(result, "co_activation", router);
  if (matrix == nullptr)
    return fail("figure.no_such_layer", "", "layer " + routerLabel(router),
                "the result does not have this layer", "choose another layer");
  if (matrix->rowNames.size() != matrix->columnNames.size())
    return fail("figure.bad_result", "", "co_activation", "the matrix is not square",
                "run the analysis again");
  const std::vector<int> experts = pairExperts(result, router, order);
  const std::size_t count = experts.size();
  FigureSpec spec;
  spec.kind = "co-activation";
  spec.title = fmt::format("Layer {}: experts that serve the same tokens", routerLabel(router));
  spec.sampleLine = result.sample;
  spec.baseline = result.baseline;
  for (const auto& [name, value] : result.parameters) spec.provenance.emplace_back(name, value);
  spec.heightInches = 3.0;
  HeatMap map;
  map.rows = map.columns = static_cast<int>(count);
  double most = kPercent * matrix->baseline.value_or(0.0);
  for (std::size_t r = 0; r < count; ++r) {
    map.rowNames.push_back(std::to_string(experts[r]));
    for (std::size_t c = 0; c < count; ++c) {
      const std::size_t index =
          static_cast<std::size_t>(experts[r]) * count + static_cast<std::size_t>(experts[c]);
      const double value =
          r == c ? std::numeric_limits<double>::quiet_NaN() : kPercent * matrix->values[index];
      map.values.push_back(value);
      if (std::isfinite(value)) most = std::max(most, value);
    }
  }
  map.columnNames = map.rowNames;
  map.sparse = true;  // an expert does not serve tokens together with itself
  std::string label = "Tokens of i that j serves too, %";
  if (matrix->baseline) label += fmt::format(" (chance {})", percentText(*matrix->baseline));
  map.colours = {ColourMapId::Cividis, ScaleKind::Linear, 0.0, most > 0.0 ? most : 1.0, std::move(label)};
  spec.map = std::move(map);
  const std::size_t step = std::max<std::size_t>(1, (count + kTicks - 1) / kTicks);
  for (Axis* axis : {&spec.x, &spec.y}) {
    axis->min = -0.5;
    axis->max = static_cast<double>(count) - 0.5;
    for (std::size_t i = 0; i < count; i += step)
      axis->ticks.emplace_back(static_cast<double>(i), std::to_string(experts[i]));
  }
  spec.x.label = "Expert j";
  spec.y.label = "Expert i";
  spec.y.reversed = true;
  return spec;
}

}  // namespace moescope::figure
