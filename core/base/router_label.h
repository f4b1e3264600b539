// How layers and routers are named and found: a layer may have two routers, and layers of encoder-decoders
// are counted within their part. Not for storing: files hold layer and kind.
#pragma once

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/router_spec.h"

namespace moescope {

/// "3"; "encoder 3", "decoder 0" where the first `encoderLayers` layers are an encoder's.
inline std::string layerLabel(LayerIndex layer, int encoderLayers) {
  if (encoderLayers == 0) return std::to_string(layer.value);
  const bool isEncoder = layer.value < encoderLayers;
  return (isEncoder ? "encoder " : "decoder ") +
         std::to_string(isEncoder ? layer.value : layer.value - encoderLayers);
}

/// The same of a model with these routers.
inline std::string layerLabel(LayerIndex layer, std::span<const RouterSpec> routers) {
  return layerLabel(layer, routers.empty() ? 0 : routers.front().encoderLayers);
}

/// "layer 3", "encoder layer 3": in sentences.
inline std::string layerName(LayerIndex layer, int encoderLayers) {
  if (encoderLayers == 0) return "layer " + std::to_string(layer.value);
  const bool isEncoder = layer.value < encoderLayers;
  return (isEncoder ? "encoder layer " : "decoder layer ") +
         std::to_string(isEncoder ? layer.value : layer.value - encoderLayers);
}

/// The same of a model with these routers.
inline std::string layerName(LayerIndex layer, std::span<const RouterSpec> routers) {
  return layerName(layer, routers.empty() ? 0 : routers.front().encoderLayers);
}

/// "layer 3", "layer 3 attention", "encoder layer 3".
inline std::string routerName(const RouterSpec& router) {
  return layerName(router.layer, router.encoderLayers) + (router.kind == "ffn" ? "" : " " + router.kind);
}

/// "3", or "3 attention" where the router is not that of the feed-forward experts; layers of encoder-decoders
/// counted through both parts, as routerFromLabel reads it.
inline std::string routerLabel(const RouterKey& router) {
  const std::string layer = std::to_string(router.layer.value);
  return router.kind.empty() || router.kind == "ffn" ? layer : layer + " " + router.kind;
}
inline RouterKey keyOf(const RouterSpec& router) { return {router.layer, router.kind}; }

/// The same for people: "encoder 3".
inline std::string routerLabel(const RouterSpec& router) {
  const std::string layer = layerLabel(router.layer, router.encoderLayers);
  return router.kind == "ffn" ? layer : layer + " " + router.kind;
}

/// "L3"; "enc 3", "dec 0" where a part of the model comes before the number.
inline std::string shortLayerLabel(LayerIndex layer, int encoderLayers) {
  if (encoderLayers == 0) return "L" + std::to_string(layer.value);
  const bool isEncoder = layer.value < encoderLayers;
  return (isEncoder ? "enc " : "dec ") +
         std::to_string(isEncoder ? layer.value : layer.value - encoderLayers);
}

/// "L3", or "L3 attn": beside rows and columns.
inline std::string shortRouterLabel(const RouterKey& router) {
  return "L" + std::to_string(router.layer.value) + (router.kind == "attention" ? " attn" : "");
}
inline std::string shortRouterLabel(const RouterSpec& router) {
  return shortLayerLabel(router.layer, router.encoderLayers) + (router.kind == "attention" ? " attn" : "");
}

/// "L3 E17", or "L3 attn E17".
inline std::string cellLabel(const ExpertCell& cell) {
  return shortRouterLabel(cell.router()) + " E" + std::to_string(cell.expert.value);
}

/// Whether a model's routers are of several kinds, so that keys name them.
inline bool hasRouterKinds(std::span<const RouterSpec> routers) {
  return std::any_of(routers.begin(), routers.end(),
                     [&](const RouterSpec& router) { return router.kind != routers.front().kind; });
}

/// The router that routerLabel() names so; none if it is no such label.
inline std::optional<RouterKey> routerFromLabel(std::string_view label) {
  std::int32_t layer = -1;
  const auto [end, fault] = std::from_chars(label.data(), label.data() + label.size(), layer);
  const std::string_view rest = label.substr(static_cast<std::size_t>(end - label.data()));
  if (fault != std::errc() || layer < 0) return std::nullopt;
  if (rest.empty()) return RouterKey({layer});
  if (rest != " ffn" && rest != " attention") return std::nullopt;
  return RouterKey({layer}, std::string(rest.substr(1)));
}

/// The key of one of a model's routers.
inline RouterKey routerKey(std::span<const RouterSpec> routers, const RouterSpec& router) {
  return {router.layer, hasRouterKinds(routers) ? router.kind : std::string()};
}

/// The place of a router in its model; without a kind the feed-forward one where a layer has two.
inline std::optional<std::size_t> routerIndex(std::span<const RouterSpec> routers, const RouterKey& key) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < routers.size(); ++i) {
    if (routers[i].layer != key.layer || (!key.kind.empty() && routers[i].kind != key.kind)) continue;
    if (!found || routers[i].kind == "ffn") found = i;
  }
  return found;
}

}  // namespace moescope
