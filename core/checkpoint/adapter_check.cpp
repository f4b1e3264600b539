#include "core/checkpoint/adapter_check.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace moescope::checkpoint {

namespace {

tl::unexpected<Error> bad(const ModelDescription& description, const std::string& file, std::string message) {
  return fail("adapter.bad_description", file, "", description.family + ": " + std::move(message),
              "tell the author of the plug-in");
}

/// What is wrong with where the routers stand, or nothing.
std::string routerFault(const ModelDescription& d) {
  const auto count = static_cast<int>(d.routers.size());
  std::vector<int> uses(d.routers.size());
  for (int layer = 0; layer < d.layers; ++layer) {
    const LayerSpec& spec = d.layerSpecs[static_cast<std::size_t>(layer)];
    for (const auto& [index, kind] :
         {std::pair{spec.router, "ffn"}, std::pair{spec.attentionRouter, "attention"}}) {
      if (index < -1 || index >= count) return fmt::format("layer {} names router {}", layer, index);
      if (index < 0) continue;
      const RouterSpec& router = d.routers[static_cast<std::size_t>(index)];
      if (router.layer.value != layer || router.kind != kind)
        return fmt::format("router {} is not the {} router of layer {}", index, kind, layer);
      ++uses[static_cast<std::size_t>(index)];
    }
  }
  for (std::size_t i = 0; i < d.routers.size(); ++i) {
    const RouterSpec& router = d.routers[i];
    if (uses[i] != 1) return fmt::format("router {} belongs to {} layers", i, uses[i]);
    if (router.experts < 1 || router.topK < 1 || router.topK > router.experts)
      return fmt::format("router {} chooses {} of {} experts", i, router.topK, router.experts);
    if (i > 0 && router.layer.value < d.routers[i - 1].layer.value)
      return "the routers do not ascend by layer";
  }
  return {};
}

}  // namespace

Result<void> checkDescribed(const ModelDescription& d, const std::string& file) {
  if (d.hiddenSize < 1 || d.vocabularySize < 1 || d.maxPositions < 1 || d.layers < 1)
    return bad(d, file, "the adapter gives a size that is not positive");
  if (d.layerSpecs.size() != static_cast<std::size_t>(d.layers))
    return bad(d, file, fmt::format("the adapter describes {} of {} layers", d.layerSpecs.size(), d.layers));
  if (d.encoder && (d.encoder->layers < 1 || d.encoder->layers >= d.layers))
    return bad(d, file, fmt::format("{} of {} layers are the encoder's", d.encoder->layers, d.layers));
  if (const std::string fault = routerFault(d); !fault.empty()) return bad(d, file, fault);
  return {};
}

Result<void> checkNeeds(const AdapterNeeds& needs, const ModelDescription& d) {
  std::set<std::string> names;
  for (const OwnTensor& own : needs.own) {
    const bool isRanked = own.isVector || own.shape.size() == 2 || own.shape.size() == 3;
    const bool isPositive = std::all_of(own.shape.begin(), own.shape.end(),
                                        [](std::int64_t side) { return side > 0 && side < (1LL << 31); });
    if (own.name.empty() || !names.insert(own.name).second || !isRanked || !isPositive ||
        own.router >= static_cast<int>(d.routers.size())) {
      return bad(d, own.name, "the adapter asks for a tensor twice, or for one that cannot be");
    }
  }
  return {};
}

}  // namespace moescope::checkpoint
