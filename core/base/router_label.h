// routerLabel: what a router is called in lists and on axes, where a layer may have two.
// Not for storing: files hold layer and kind.
#pragma once

#include <string>

#include "core/base/router_spec.h"

namespace moescope {

/// "3", or "3 attention" where the router is not that of the feed-forward experts.
inline std::string routerLabel(const RouterSpec& router) {
  const std::string layer = std::to_string(router.layer.value);
  return router.kind == "ffn" ? layer : layer + " " + router.kind;
}

/// "L3", or "L3 attn": beside rows and columns.
inline std::string shortRouterLabel(const RouterSpec& router) {
  return "L" + std::to_string(router.layer.value) + (router.kind == "attention" ? " attn" : "");
}

}  // namespace moescope
