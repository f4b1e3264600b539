#include "core/checkpoint/architecture_text.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace moescope::checkpoint {

namespace {

using Parts = std::vector<std::string>;

std::string joined(const Parts& parts) { return fmt::format("{}", fmt::join(parts, ", ")); }

/// "0 to 3, 5" for {0, 1, 2, 3, 5}.
std::string ranges(const std::vector<int>& numbers) {
  Parts parts;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t end = i + 1;
    while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) ++end;
    parts.push_back(end - i == 1 ? fmt::to_string(numbers[i])
                                 : fmt::format("{} to {}", numbers[i], numbers[end - 1]));
    i = end;
  }
  constexpr std::size_t kMost = 6;
  if (parts.size() > kMost) {
    parts.resize(kMost);
    parts.emplace_back("...");
  }
  return joined(parts);
}

template <class Predicate>
std::vector<int> layersWhere(const ModelDescription& d, const Predicate& holds) {
  std::vector<int> layers;
  for (int layer = 0; layer < d.layers; ++layer) {
    if (holds(d.layerSpecs[static_cast<std::size_t>(layer)])) layers.push_back(layer);
  }
  return layers;
}

/// "encoder 4, experts in 1, 3; decoder 2, experts in 1": each part counted from 0.
std::string partsText(const ModelDescription& d) {
  Parts parts;
  for (const bool isDecoder : {false, true}) {
    const int first = isDecoder ? d.encoder->layers : 0;
    const int end = isDecoder ? d.layers : d.encoder->layers;
    std::vector<int> experts;
    for (int layer = first; layer < end; ++layer) {
      if (d.layerSpecs[static_cast<std::size_t>(layer)].router >= 0) experts.push_back(layer - first);
    }
    parts.push_back(fmt::format("{} {}, experts in {}", isDecoder ? "decoder" : "encoder", end - first,
                                experts.empty() ? "none" : ranges(experts)));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::string layersText(const ModelDescription& d) {
  if (d.encoder) return partsText(d);
  const auto dense = layersWhere(d, [](const LayerSpec& layer) { return layer.router < 0; });
  if (dense.empty()) return fmt::format("{}, all with experts", d.layers);
  return fmt::format("{}, {} with experts, dense: {}", d.layers, d.layers - static_cast<int>(dense.size()),
                     ranges(dense));
}

std::string normText(const RouterSpec& router) {
  switch (router.norm) {
    case WeightNorm::None:
      return router.score == ScoreKind::TopkSoftmax ? "weights sum to 1" : "weights as scored";
    case WeightNorm::SumOne:
    case WeightNorm::ClampedSum: return "weights sum to 1";
    case WeightNorm::Power: break;
  }
  return fmt::format("weights divided by their {:g}-norm", router.normParameter);
}

std::string capacityText(const CapacitySpec& capacity) {
  switch (capacity.rule) {
    case CapacityRule::EvenShare:
      return fmt::format("capacity {:g} times an even share, at least {}", capacity.factor, capacity.minimum);
    case CapacityRule::Fixed: return fmt::format("capacity {} tokens", capacity.minimum);
    case CapacityRule::TokenShare: break;
  }
  return fmt::format("capacity {:g} times the tokens", capacity.factor);
}

std::string routerText(const ModelDescription& d) {
  const RouterSpec& router = d.routers.front();
  const std::string score = router.score == ScoreKind::TopkSoftmax ? "softmax of the chosen"
                            : router.score == ScoreKind::SparseMixer
                                ? fmt::format("sparsemixer with eps {:g}", router.mixerEps)
                                : std::string(name(router.score));
  Parts parts{score, fmt::format("top {} of {}", router.topK, router.experts)};
  if (d.routerBias) parts.emplace_back("bias");
  if (!router.selectionBias.empty()) parts.emplace_back("selection bias");
  if (router.groups.limits()) {
    parts.push_back(fmt::format("{} of {} groups by {}", router.groups.keep, router.groups.count,
                                router.groups.score == GroupScore::Max ? "the best" : "the two best"));
  }
  parts.push_back(normText(router));
  if (router.scale != 1.0) parts.push_back(fmt::format("times {:g}", router.scale));
  if (d.capacity) parts.push_back(capacityText(*d.capacity));
  if (d.experts.scalesInput) parts.emplace_back("weights scale the experts' input");
  return joined(parts);
}

std::string expertsText(const ModelDescription& d) {
  const int shared = d.routers.front().sharedExperts;
  Parts parts{fmt::format("width {}", d.experts.intermediateSize)};
  if (d.experts.activation == Activation::ClampedSwish)
    parts.push_back(fmt::format("swish clamped at {:g}", d.experts.limit));
  if (d.experts.activation == Activation::DoubleGate) parts.emplace_back("gate of double width");
  if (d.layerSpecs[static_cast<std::size_t>(d.routers.front().layer.value)].denseIntermediateSize > 0)
    parts.emplace_back("a dense MLP after them");
  if (shared > 0) {
    parts.push_back(fmt::format("{} shared{}, width {} in all", shared, d.shared.gated ? ", gated" : "",
                                d.shared.intermediateSize));
  } else {
    parts.emplace_back("none shared");
  }
  return joined(parts);
}

std::string ropeText(const RopeSpec& rope, int headDim) {
  std::string text = "RoPE";
  if (rope.rotaryDim != headDim) text += fmt::format(" on {} channels", rope.rotaryDim);
  if (rope.scaling == RopeScaling::None) return text;
  text += fmt::format(", {}", name(rope.scaling));
  return rope.factor != 1.0 ? text + fmt::format(" x{:g}", rope.factor) : text;
}

std::string attentionText(const ModelDescription& d) {
  const AttentionSpec& attention = d.attention;
  Parts parts{fmt::format("{} heads of {}", attention.heads, attention.headDim)};
  if (attention.latent) {
    parts.push_back(fmt::format("latent of rank {}", attention.latent->keyValueRank));
  } else if (attention.keyValueHeads != attention.heads) {
    parts.push_back(fmt::format("{} for keys and values", attention.keyValueHeads));
  }
  parts.push_back(attention.positions.empty() ? ropeText(attention.rope, attention.headDim)
                                              : attention.positions);
  const auto where = [&](const std::string& what, const std::vector<int>& layers) {
    if (layers.empty()) return;
    const bool isAll = static_cast<int>(layers.size()) == d.layers;
    parts.push_back(
        isAll ? what
              : fmt::format("{} in {} {}", what, layers.size(), layers.size() == 1 ? "layer" : "layers"));
  };
  const auto windows = layersWhere(d, [](const LayerSpec& layer) { return layer.window > 0; });
  const auto chunks = layersWhere(d, [](const LayerSpec& layer) { return layer.chunk > 0; });
  if (!windows.empty())
    where(fmt::format("window of {}", d.layerSpecs[static_cast<std::size_t>(windows[0])].window), windows);
  if (!chunks.empty())
    where(fmt::format("chunks of {}", d.layerSpecs[static_cast<std::size_t>(chunks[0])].chunk), chunks);
  std::vector<std::string> recurrences;
  for (const LayerSpec& layer : d.layerSpecs) {
    const bool isNew =
        std::find(recurrences.begin(), recurrences.end(), layer.recurrence) == recurrences.end();
    if (!layer.recurrence.empty() && isNew) recurrences.push_back(layer.recurrence);
  }
  for (const std::string& name : recurrences)
    where(name, layersWhere(d, [&name](const LayerSpec& layer) { return layer.recurrence == name; }));
  const auto routed = layersWhere(d, [](const LayerSpec& layer) { return layer.attentionRouter >= 0; });
  if (!routed.empty()) {
    const int index = d.layerSpecs[static_cast<std::size_t>(routed[0])].attentionRouter;
    const RouterSpec& router = d.routers[static_cast<std::size_t>(index)];
    where(fmt::format("heads routed, top {} of {} experts", router.topK, router.experts), routed);
  }
  where("no RoPE", layersWhere(d, [](const LayerSpec& layer) { return !layer.rotates; }));
  if (attention.sinks) parts.emplace_back("sinks");
  if (d.order == BlockOrder::PostNorm) parts.emplace_back("norms after the sublayers");
  return joined(parts);
}

}  // namespace

ArchitectureText describeInWords(const ModelDescription& description) {
  return {layersText(description), routerText(description), expertsText(description),
          attentionText(description)};
}

}  // namespace moescope::checkpoint
