// Builders of figures of tokens: tokens x experts of one layer, tokens x layers.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/half.h"
#include "core/base/router_label.h"
#include "core/figure/figure_sample.h"
#include "core/figure/number_text.h"
#include "core/figure/ticks.h"
#include "core/figure/token_text.h"

namespace moescope::figure {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
/// As many cells as a figure may hold when it is read back.
constexpr std::int64_t kMostCells = std::int64_t{1} << 23;
constexpr int kExpertTicks = 4;
/// Up to here every row can carry its text; above it the axis has numbers.
constexpr std::int64_t kMostNamedRows = 64;

std::string nameOf(TokenValue value) {
  switch (value) {
    case TokenValue::Weight: return "Gate weight";
    case TokenValue::Rank: return "Rank";
    case TokenValue::Logit: return "Router logit";
    case TokenValue::Entropy: return "Routing entropy, nat";
  }
  return {};
}

Error notRecorded(const FigureSource& source, const FigureSample& sample, TokenValue value) {
  return {"figure.not_recorded", source.store.path().string(), "run " + sample.run.name,
          nameOf(value) + " was not recorded at capture " + std::string(trace::name(sample.run.capture)),
          "record the run with a higher capture level or choose another value"};
}

bool hasValue(const FigureSample& sample, TokenValue value) {
  switch (value) {
    case TokenValue::Weight: return sample.run.capture >= trace::CaptureLevel::Weights;
    case TokenValue::Rank: return sample.run.capture >= trace::CaptureLevel::Ids;
    case TokenValue::Logit:
    case TokenValue::Entropy: return sample.run.capture >= trace::CaptureLevel::Full;
  }
  return false;
}

Result<void> checkSize(const FigureSource& source, std::int64_t rows, std::int64_t columns) {
  if (rows <= kMostCells / std::max<std::int64_t>(1, columns)) return {};
  return fail("figure.too_large", source.store.path().string(), "",
              countText(rows) + " tokens are too many for one picture", "choose fewer tokens");
}

/// Row names ("46 ·light"), the token axis and the rows of the map.
void addTokenRows(FigureSpec& spec, const FigureSource& source, trace::TokenRange tokens) {
  HeatMap& map = *spec.map;
  for (std::int64_t row = tokens.begin; row < tokens.end; ++row) {
    std::string text;
    const auto block = source.store.tokenBlock(source.run, row / trace::kBlockTokens);
    const auto at = static_cast<std::size_t>(row % trace::kBlockTokens);
    if (block && at < block->ids.size())
      text = tokenText(source.store.tokenBytes(source.run, block->ids[at]));
    map.rowNames.push_back(std::to_string(row) + (text.empty() ? "" : " " + text));
  }
  spec.y = {"Token", -0.5, map.rows - 0.5, {}, true, {}};
  const bool named = tokens.size() <= kMostNamedRows;
  for (int row = 0; row < map.rows; ++row) {
    if (named) {
      spec.y.ticks.emplace_back(row, map.rowNames[static_cast<std::size_t>(row)]);
    } else if ((tokens.begin + row) % 16 == 0) {
      spec.y.ticks.emplace_back(row, countText(tokens.begin + row));
    }
  }
}

double largestOf(const std::vector<double>& values, double otherwise) {
  double most = 0.0;
  for (const double v : values) most = std::isfinite(v) ? std::max(most, v) : most;
  return most > 0.0 ? most : otherwise;
}

ColourScale scaleOf(TokenValue value, const std::vector<double>& values, int topK) {
  switch (value) {
    case TokenValue::Weight:
      return {ColourMapId::Cividis, ScaleKind::Sqrt, 0.0, largestOf(values, 1.0), nameOf(value)};
    case TokenValue::Rank:
      return {ColourMapId::Greys, ScaleKind::Linear, 1.0, std::max(2.0, double(topK)), nameOf(value)};
    case TokenValue::Entropy:
      return {ColourMapId::Cividis, ScaleKind::Linear, 0.0, largestOf(values, 1.0), nameOf(value)};
    case TokenValue::Logit: break;
  }
  double least = 0.0, most = 0.0;
  for (const double v : values) {
    if (std::isfinite(v)) {
      least = std::min(least, v);
      most = std::max(most, v);
    }
  }
  return {ColourMapId::Cividis, ScaleKind::Linear, least, most > least ? most : least + 1.0, nameOf(value)};
}

/// One token's row of a tokens x experts map; false if its block is damaged or missing.
bool fillExperts(const FigureSource& source, int router, std::int64_t token, TokenValue value,
                 std::span<double> out) {
  const std::int64_t block = token / trace::kBlockTokens;
  const std::int64_t at = token % trace::kBlockTokens;
  if (value == TokenValue::Logit) {
    const auto logits = source.store.logitBlock(source.run, router, block);
    if (!logits || logits->damaged || at >= logits->count) return false;
    for (int e = 0; e < logits->experts && e < static_cast<int>(out.size()); ++e) {
      out[static_cast<std::size_t>(e)] =
          halfToFloat(logits->halves[static_cast<std::size_t>(at * logits->experts + e)]);
    }
    return true;
  }
  const auto routes = source.store.routeBlock(source.run, router, block);
  if (!routes || routes->damaged || at >= routes->count) return false;
  for (int slot = 0; slot < routes->width; ++slot) {
    const auto place = static_cast<std::size_t>(at * routes->width + slot);
    const std::uint16_t expert = routes->ids[place];
    if (expert == trace::kEmptySlot || expert >= out.size()) continue;
    if (value == TokenValue::Rank) {
      out[expert] = slot + 1;
    } else if (place < routes->weights.size()) {
      out[expert] = routes->weights[place];
    }
  }
  return true;
}

/// One cell of a tokens x layers map; NaN if it is missing.
double layerValue(const FigureSource& source, int router, std::int64_t token, TokenValue value) {
  if (value == TokenValue::Entropy) {
    const trace::LoadSummary one = source.store.load(source.run, router, {token, token + 1});
    return one.entropyTokens > 0 ? one.entropySum / static_cast<double>(one.entropyTokens) : kNan;
  }
  const auto routes = source.store.routeBlock(source.run, router, token / trace::kBlockTokens);
  const std::int64_t at = token % trace::kBlockTokens;
  if (!routes || routes->damaged || at >= routes->count || routes->weights.empty()) return kNan;
  double most = kNan;
  for (int slot = 0; slot < routes->width; ++slot) {
    const auto place = static_cast<std::size_t>(at * routes->width + slot);
    if (routes->ids[place] == trace::kEmptySlot) continue;
    const double weight = routes->weights[place];
    if (!(weight <= most)) most = weight;
  }
  return most;
}

}  // namespace

Result<FigureSpec> tokenExpertFigure(const FigureSource& source, const RouterKey& wanted, TokenValue value,
                                     std::stop_token stop) {
  auto sample = sampleOf(source);
  if (!sample) return fail(sample.error());
  const auto router = routerOf(source, *sample, wanted);
  if (!router) return fail(router.error());
  if (value == TokenValue::Entropy || !hasValue(*sample, value))
    return fail(notRecorded(source, *sample, value));
  const RouterSpec& spec = sample->routers[static_cast<std::size_t>(*router)];
  const trace::TokenRange tokens = sample->tokens;
  if (auto fits = checkSize(source, tokens.size(), spec.experts); !fits) return fail(fits.error());

  HeatMap map;
  map.rows = static_cast<int>(tokens.size());
  map.columns = spec.experts;
  map.sparse = value != TokenValue::Logit;
  map.values.assign(static_cast<std::size_t>(map.rows) * static_cast<std::size_t>(map.columns), kNan);
  for (int row = 0; row < map.rows; ++row) {
    if (stop.stop_requested()) return fail("cancelled", "", "", "the figure was cancelled");
    const auto start = static_cast<std::size_t>(row) * static_cast<std::size_t>(map.columns);
    const auto cells = std::span(map.values).subspan(start, static_cast<std::size_t>(map.columns));
    if (!fillExperts(source, *router, tokens.begin + row, value, cells)) map.missingRows.push_back(row);
  }
  map.colours = scaleOf(value, map.values, spec.topK);
  const trace::LoadSummary load = source.store.load(source.run, *router, tokens, stop);
  const std::string where = routerName(spec);
  FigureSpec out = startFigure(source, *sample, "token-expert", nameOf(value) + ", " + where,
                               {load.slots, load.tokens * spec.topK, load.missing, 1},
                               where + ", " + tokenRangeText(tokens.begin, tokens.end));
  out.baseline = uniformBaseline(spec.experts);
  out.x = {"Expert of " + where, -0.5, map.columns - 0.5, expertTicks(map.columns, kExpertTicks), false, {}};
  out.map = std::move(map);
  addTokenRows(out, source, tokens);
  return out;
}

Result<FigureSpec> tokenLayerFigure(const FigureSource& source, TokenValue value, std::stop_token stop) {
  auto sample = sampleOf(source);
  if (!sample) return fail(sample.error());
  const bool fitting = value == TokenValue::Weight || value == TokenValue::Entropy;
  if (!fitting || !hasValue(*sample, value)) return fail(notRecorded(source, *sample, value));
  const trace::TokenRange tokens = sample->tokens;
  const auto layers = static_cast<std::int64_t>(sample->routers.size());
  if (auto fits = checkSize(source, tokens.size(), layers); !fits) return fail(fits.error());

  HeatMap map;
  map.rows = static_cast<int>(tokens.size());
  map.columns = static_cast<int>(layers);
  Counted counted{0, 0, 0, layers};
  for (std::int64_t token = tokens.begin; token < tokens.end; ++token) {
    if (stop.stop_requested()) return fail("cancelled", "", "", "the figure was cancelled");
    for (int router = 0; router < map.columns; ++router)
      map.values.push_back(layerValue(source, router, token, value));
  }
  int experts = 0;
  for (int router = 0; router < map.columns; ++router) {
    const RouterSpec& spec = sample->routers[static_cast<std::size_t>(router)];
    const trace::LoadSummary load = source.store.load(source.run, router, tokens, stop);
    counted.choices += load.slots;
    counted.expected += load.tokens * spec.topK;
    counted.missing += load.missing;
    map.columnNames.push_back(layerLabel(spec.layer, spec.encoderLayers));
    experts = std::max(experts, spec.experts);
  }
  map.colours = scaleOf(value, map.values, 0);
  if (value == TokenValue::Weight) map.colours.label = "Largest gate weight";
  FigureSpec out = startFigure(source, *sample, "token-layer", map.colours.label + ", " + sample->run.name,
                               counted, tokenRangeText(tokens.begin, tokens.end));
  out.baseline = value == TokenValue::Entropy
                     ? "uniform distribution, " + decimalText(std::log(experts), 2) + " nat"
                     : "all experts alike, " + decimalText(1.0 / std::max(1, experts), 3) + " an expert";
  out.x = {"Layer", -0.5, map.columns - 0.5, {}, false, {}};
  for (int column = 0; column < map.columns; ++column) {
    out.x.ticks.emplace_back(column, map.columnNames[static_cast<std::size_t>(column)]);
  }
  out.map = std::move(map);
  addTokenRows(out, source, tokens);
  return out;
}

}  // namespace moescope::figure
