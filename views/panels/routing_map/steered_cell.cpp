#include "views/panels/routing_map/steered_cell.h"

#include "core/base/half.h"

namespace moescope::views {

namespace {

/// All raw logits of one token; empty where they are not known.
std::vector<float> rawLogits(const TokenPicture& picture, std::int64_t token, int router) {
  std::vector<float> logits;
  const auto r = static_cast<std::size_t>(router - picture.firstRouter);
  const auto b = static_cast<std::size_t>(token / trace::kBlockTokens - picture.firstBlock);
  if (r >= picture.logits.size() || b >= picture.logits[r].size()) return logits;
  const trace::LogitBlock* block = picture.logits[r][b].get();
  const auto at = static_cast<std::size_t>(token % trace::kBlockTokens);
  if (block == nullptr || block->damaged || at >= static_cast<std::size_t>(block->count)) return logits;
  const auto experts = static_cast<std::size_t>(block->experts);
  for (std::size_t e = 0; e < experts; ++e) logits.push_back(halfToFloat(block->halves[at * experts + e]));
  return logits;
}

}  // namespace

std::optional<SteeredCell> steeredCell(const TokenPicture& picture, std::int64_t token, int router,
                                       int expert) {
  const auto row = static_cast<std::size_t>(token - picture.firstToken);
  const steering::SteeringPlan* plan = picture.steering.planAt(token);
  if (plan == nullptr || !picture.contains(token) || row >= picture.positions.size()) return std::nullopt;
  if (router < 0 || static_cast<std::size_t>(router) >= plan->layers.size()) return std::nullopt;
  if (picture.positions[row] < 0) return std::nullopt;
  const steering::LayerPlan& layer = plan->layers[static_cast<std::size_t>(router)];
  const steering::TokenScope scope{picture.prefill[row] == 0, picture.positions[row]};
  if (!layer.covers(scope.decode, scope.position)) return std::nullopt;
  const std::vector<float> logits = rawLogits(picture, token, router);
  const auto e = static_cast<std::size_t>(expert);
  if (logits.size() != static_cast<std::size_t>(layer.router.experts) || e >= logits.size())
    return std::nullopt;
  const steering::SteeredPorts ports = steering::steeredPorts(logits, layer, scope);
  return SteeredCell{logits[e], ports.logits[e], ports.keysBefore[e], ports.keys[e]};
}

}  // namespace moescope::views
