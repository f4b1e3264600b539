// Strong types for indices that are easily swapped. Not for sizes or counts.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace moescope {

/// A model layer, counted from 0 over all layers (dense ones included).
struct LayerIndex {
  std::int32_t value = 0;
  auto operator<=>(const LayerIndex&) const = default;
};

/// A routed expert inside its layer, counted from 0.
struct ExpertIndex {
  std::int32_t value = 0;
  auto operator<=>(const ExpertIndex&) const = default;
};

/// A token's row in its run, in order of arrival, counted from 0.
struct TokenIndex {
  std::int64_t value = 0;
  auto operator<=>(const TokenIndex&) const = default;
};

/// One router: its layer, and its kind ("ffn", "attention") in models whose routers are of several kinds; in
/// all others the kind is empty (routerKey in router_label.h).
struct RouterKey {
  RouterKey() = default;
  RouterKey(LayerIndex ofLayer, std::string ofKind = {}) : layer(ofLayer), kind(std::move(ofKind)) {}

  LayerIndex layer;
  std::string kind;
  auto operator<=>(const RouterKey&) const = default;
};

/// One expert of one router: the unit that is selected, steered and labelled "L10 E41".
struct ExpertCell {
  LayerIndex layer;
  ExpertIndex expert;
  std::string kind = {};  ///< of the router, as in RouterKey
  auto operator<=>(const ExpertCell&) const = default;

  [[nodiscard]] RouterKey router() const { return {layer, kind}; }
};

}  // namespace moescope

template <>
struct std::hash<moescope::ExpertCell> {
  std::size_t operator()(const moescope::ExpertCell& cell) const noexcept {
    return std::hash<std::int64_t>{}((static_cast<std::int64_t>(cell.layer.value) << 32) |
                                     static_cast<std::uint32_t>(cell.expert.value)) ^
           std::hash<std::string>{}(cell.kind);
  }
};
