// What a layer and a router are called in lists and on axes: a layer may have two routers, and layers of
// encoder-decoders are counted within their part. Not for storing: files hold layer and kind.
#pragma once

#include <span>
#include <string>

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

/// "3", or "3 attention" where the router is not that of the feed-forward experts.
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
inline std::string shortRouterLabel(const RouterSpec& router) {
  return shortLayerLabel(router.layer, router.encoderLayers) + (router.kind == "attention" ? " attn" : "");
}

}  // namespace moescope
