// Reading of what the routers of many families have in common, and of which layer is what.
#include <fmt/format.h>

#include "core/checkpoint/family.h"
#include "core/checkpoint/shown_text.h"

namespace moescope::checkpoint {

RouterSpec describeRouter(ConfigReader& config, const RouterDefaults& defaults) {
  constexpr int kMost = 1 << 15;
  RouterSpec router;
  router.experts = static_cast<int>(
      config.whole({"num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"},
                   std::max(defaults.experts, 1), 1, kMost));
  router.topK = static_cast<int>(config.whole(
      {"num_experts_per_tok", "experts_per_token", "moe_k", "moe_topk", "moe_top_k", "router_topk", "topk"},
      std::max(defaults.topK, 1), 1, router.experts));
  const auto mustSay = [&](std::initializer_list<const char*> keys, int fallback, const char* what) {
    for (const char* key : keys) {
      if (config.find(key) != nullptr) return;
    }
    if (fallback == 0) config.error("config.bad_value", *keys.begin(), fmt::format("{} is not given", what));
  };
  mustSay({"n_routed_experts", "num_experts", "num_local_experts", "moe_num_experts"}, defaults.experts,
          "the number of experts");
  mustSay(
      {"num_experts_per_tok", "experts_per_token", "moe_k", "moe_topk", "moe_top_k", "router_topk", "topk"},
      defaults.topK, "the number of experts a token");
  if (router.topK > router.experts) {  // the class default, if the file gives only few experts
    config.error(
        "config.bad_value", "num_experts_per_tok",
        fmt::format("is {} where it is not given, but there are {} experts", router.topK, router.experts));
  }
  return router;
}

int describeWidth(ConfigReader& config, const char* key, int fallback) {
  return static_cast<int>(config.whole({key}, fallback, 1, 1 << 20));
}

void placeWindows(ConfigReader& config, ModelDescription& description, std::int64_t window,
                  const std::function<bool(int layer)>& isSliding) {
  const auto* types = config.find("layer_types");
  if (types != nullptr &&
      (!types->is_array() || types->size() != static_cast<std::size_t>(description.layers))) {
    config.error("config.bad_value", "layer_types", "is not a list of one word a layer");
    return;
  }
  for (int layer = 0; layer < description.layers; ++layer) {
    const auto index = static_cast<std::size_t>(layer);
    bool slides = isSliding(layer);
    if (types != nullptr) {
      const auto& type = (*types)[index];
      if (type != "sliding_attention" && type != "full_attention") {
        config.error("config.bad_value", "layer_types",
                     fmt::format("{} is not a kind of attention that the family has", shownValue(type)));
        return;
      }
      slides = type == "sliding_attention";
    }
    if (slides && window > 0) description.layerSpecs[index].window = window;
  }
}

}  // namespace moescope::checkpoint
