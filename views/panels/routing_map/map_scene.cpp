#include "views/panels/routing_map/map_scene.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "core/base/router_label.h"
#include "core/figure/number_text.h"

namespace moescope::views {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// The next of 1, 1.5, 2, 3, 5 times a power of ten.
double roundUp(double value) {
  if (!(value > 0.0)) return 1.0;
  const double power = std::pow(10.0, std::floor(std::log10(value)));
  for (const double step : {1.0, 1.5, 2.0, 3.0, 5.0}) {
    if (value <= step * power * (1.0 + 1e-6)) return step * power;
  }
  return 10.0 * power;
}

figure::ColourScale tokenScale(const MapScene& scene) {
  const figure::TokenValue value = scene.settings.tokenValue();
  const TokenPicture* picture = scene.tokens.get();
  const double largest = picture != nullptr ? static_cast<double>(picture->largest) : 0.0;
  const double least = picture != nullptr ? static_cast<double>(picture->least) : 0.0;
  const std::int64_t step = picture != nullptr ? picture->request.step : 1;
  std::string name = label(value, scene.settings.mode);
  if (step > 1) {
    const bool best = value == figure::TokenValue::Rank;
    name += fmt::format(", {} of {} tokens", best ? "best" : "mean", figure::countText(step));
  }
  int experts = 1, topK = 1;
  for (const RouterSpec& router : scene.routers) {
    experts = std::max(experts, router.experts);
    topK = std::max(topK, router.topK);
  }
  using enum figure::ColourMapId;
  switch (value) {
    case figure::TokenValue::Weight: return {Cividis, figure::ScaleKind::Sqrt, 0.0, roundUp(largest), name};
    // Rank 1 is the bright end.
    case figure::TokenValue::Rank:
      return {Cividis, figure::ScaleKind::Linear, std::max(2.0, double(topK)), 1.0, name};
    case figure::TokenValue::Logit:
      return {Cividis, figure::ScaleKind::Linear, least < 0.0 ? -roundUp(-least) : 0.0, roundUp(largest),
              name};
    case figure::TokenValue::Entropy:
      return {Cividis, figure::ScaleKind::Linear, 0.0, std::log(std::max(2, experts)), name + ", nat"};
  }
  return {};
}

}  // namespace

void ExpertOrder::sort(const std::vector<trace::LoadSummary>& loads) {
  m_rows.clear();
  for (const trace::LoadSummary& load : loads) {
    std::vector<int>& row = m_rows.emplace_back(load.counts.size());
    std::iota(row.begin(), row.end(), 0);
    std::ranges::stable_sort(row, [&](int a, int b) {
      return load.counts[static_cast<std::size_t>(a)] > load.counts[static_cast<std::size_t>(b)];
    });
  }
}

int ExpertOrder::expertAt(std::size_t row, int place) const {
  if (row >= m_rows.size() || place < 0 || place >= static_cast<int>(m_rows[row].size())) return place;
  return m_rows[row][static_cast<std::size_t>(place)];
}

int ExpertOrder::placeOf(std::size_t row, int expert) const {
  if (row >= m_rows.size()) return expert;
  const auto found = std::ranges::find(m_rows[row], expert);
  return found == m_rows[row].end() ? expert : static_cast<int>(found - m_rows[row].begin());
}

std::optional<ExpertCell> MapScene::expertAt(MapCell cell) const {
  if (settings.mode == MapMode::TokenLayer) return std::nullopt;
  const bool byLayer = settings.mode == MapMode::LayerExpert;
  const auto router = static_cast<std::size_t>(byLayer ? cell.row : settings.router);
  if (router >= routers.size() || cell.column < 0 || cell.column >= routers[router].experts)
    return std::nullopt;
  const RouterKey key = keyOf(router);
  return ExpertCell{key.layer, {order.expertAt(byLayer ? router : 0, cell.column)}, key.kind};
}

std::optional<RouterKey> MapScene::routerAt(MapCell cell) const {
  std::int64_t router = settings.router;
  if (settings.mode == MapMode::LayerExpert) router = cell.row;
  if (settings.mode == MapMode::TokenLayer) router = cell.column;
  if (router < 0 || router >= static_cast<std::int64_t>(routers.size())) return std::nullopt;
  return keyOf(static_cast<std::size_t>(router));
}

std::optional<int> MapScene::routerOf(const RouterKey& router) const {
  const auto found = routerIndex(routers, router);
  if (!found) return std::nullopt;
  return static_cast<int>(*found);
}

RouterKey MapScene::keyOf(std::size_t router) const { return routerKey(routers, routers[router]); }

std::optional<MapCell> MapScene::cellOf(const ExpertCell& expert) const {
  const auto router = routerOf(expert.router());
  if (!router || expert.expert.value >= routers[static_cast<std::size_t>(*router)].experts)
    return std::nullopt;
  if (settings.mode == MapMode::LayerExpert)
    return MapCell{*router, order.placeOf(static_cast<std::size_t>(*router), expert.expert.value)};
  if (settings.mode == MapMode::TokenExpert && *router == settings.router)
    return MapCell{0, order.placeOf(0, expert.expert.value)};
  return std::nullopt;
}

bool MapScene::isSelected(MapCell cell) const {
  if (settings.mode == MapMode::LayerExpert) {
    const auto expert = expertAt(cell);
    return expert && experts.contains(*expert);
  }
  const bool token = cell.row >= selectedTokens.begin && cell.row < selectedTokens.end;
  if (settings.mode == MapMode::TokenLayer) return token && lookedAt && routerAt(cell) == lookedAt;
  const auto expert = expertAt(cell);
  return expert && experts.contains(*expert) && (token || selectedTokens.size() == 0);
}

std::string MapScene::regionId(MapCell cell) const {
  const auto layer = [&](std::int64_t otherwise) {
    const auto at = routerAt(cell);
    return "layer " + (at ? routerLabel(*at) : std::to_string(otherwise));
  };
  const auto place = [&] {
    const auto expert = expertAt(cell);
    return expert ? fmt::format("expert {}", expert->expert.value) : layer(cell.column);
  };
  if (settings.mode != MapMode::LayerExpert) return fmt::format("token {}/{}", cell.row, place());
  return layer(cell.row) + "/" + place();
}

double MapScene::valueAt(MapCell cell) const {
  if (settings.mode == MapMode::LayerExpert) {
    const auto expert = expertAt(cell);
    if (!layers || !expert || cell.row >= layers->figure.map->rows) return kNan;
    const auto& map = *layers->figure.map;
    return map.values[static_cast<std::size_t>(cell.row) * static_cast<std::size_t>(map.columns) +
                      static_cast<std::size_t>(expert->expert.value)];
  }
  if (!tokens || !tokens->contains(cell.row) || cell.column < 0 || cell.column >= tokens->columns)
    return kNan;
  const int column = settings.mode == MapMode::TokenExpert ? order.expertAt(0, cell.column) : cell.column;
  return static_cast<double>(tokens->value(tokens->rowOf(cell.row), column));
}

figure::ColourScale automaticScale(const MapScene& scene, const figure::ColourScale* last) {
  figure::ColourScale scale;
  if (scene.tokenMode()) {
    scale = tokenScale(scene);
  } else if (scene.layers) {
    scale = scene.layers->figure.map->colours;
    if (scale.scale == figure::ScaleKind::Linear) scale.max = roundUp(scale.max);
  }
  const bool grows = last != nullptr && last->label == scale.label && scale.min <= scale.max;
  if (grows && scale.scale != figure::ScaleKind::Log2) {
    scale.min = std::min(scale.min, last->min);
    scale.max = std::max(scale.max, last->max);
  }
  return scale;
}

}  // namespace moescope::views
