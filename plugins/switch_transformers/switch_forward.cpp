#include "plugins/switch_transformers/switch_forward.h"

#include <algorithm>
#include <cmath>

namespace moescope::switch_transformers {

using engine::AttentionWeights;
using engine::ForwardKit;

namespace {

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

AttentionWeights attentionOf(const ForwardKit& kit, const std::string& norm, const std::string& prefix) {
  const auto projection = [&](const char* name) {
    return engine::Projection{kit.matrix(prefix + name + ".weight"), nullptr};
  };
  return {{&kit.vector(norm), nullptr}, projection("q"), projection("k"), projection("v"), projection("o")};
}

engine::CoderLayer layerOf(const ForwardKit& kit, int layer) {
  const auto& description = kit.description();
  const LayerNames names(layer, description.encoder->layers);
  engine::CoderLayer weights;
  weights.self = attentionOf(kit, names.selfNorm, names.self);
  if (names.isDecoder) weights.cross = attentionOf(kit, names.crossNorm, names.cross);
  weights.feedForwardNorm = {&kit.vector(names.feedForwardNorm), nullptr};
  const auto addMlp = [&](const std::string& prefix) {
    weights.mlps.push_back(
        {{kit.matrix(prefix + "wi.weight"), nullptr}, {kit.matrix(prefix + "wo.weight"), nullptr}});
  };
  const int router = description.layerSpecs[size(layer)].router;
  if (router < 0) {
    addMlp(names.mlp(-1));
    return weights;
  }
  weights.router = {kit.matrix(names.router + ".weight"),
                    description.routerBias ? &kit.vector(names.router + ".bias") : nullptr};
  for (int expert = 0; expert < description.routers[size(router)].experts; ++expert)
    addMlp(names.mlp(expert));
  return weights;
}

engine::EncoderDecoderWeights weightsOf(const ForwardKit& kit) {
  engine::EncoderDecoderWeights weights;
  for (int layer = 0; layer < kit.description().layers; ++layer)
    weights.layers.push_back(layerOf(kit, layer));
  weights.encoderNorm = {&kit.vector(kEncoderNorm), nullptr};
  weights.decoderNorm = {&kit.vector(kDecoderNorm), nullptr};
  return weights;
}

/// [heads, last - first + 1] from a table [buckets, heads].
std::vector<float> biases(const std::vector<float>& table, const checkpoint::ModelDescription& description,
                          std::int64_t first, std::int64_t last) {
  const Layout& layout = Layout::of(description);
  const int heads = description.attention.heads;
  const std::int64_t distances = last - first + 1;
  std::vector<float> out(size(heads * distances));
  for (std::int64_t distance = first; distance <= last; ++distance) {
    const int bucket = positionBucket(distance, last > 0, layout.buckets, layout.maxDistance);
    for (int head = 0; head < heads; ++head)
      out[size(head * distances + distance - first)] = table[size(std::int64_t{bucket} * heads + head)];
  }
  return out;
}

}  // namespace

LayerNames::LayerNames(int layer, int encoderLayers)
    : isDecoder(layer >= encoderLayers), number(isDecoder ? layer - encoderLayers : layer) {
  const std::string block =
      (isDecoder ? "decoder.block." : "encoder.block.") + std::to_string(number) + ".layer.";
  const std::string last = block + (isDecoder ? "2." : "1.");
  selfNorm = block + "0.layer_norm.weight";
  self = block + "0.SelfAttention.";
  crossNorm = block + "1.layer_norm.weight";
  cross = block + "1.EncDecAttention.";
  feedForwardNorm = last + "layer_norm.weight";
  mlpPrefix = last + "mlp.";
  router = mlpPrefix + "router.classifier";
}

std::string LayerNames::mlp(int expert) const {
  return expert < 0 ? mlpPrefix : mlpPrefix + "experts.expert_" + std::to_string(expert) + ".";
}

int positionBucket(std::int64_t distance, bool isBothSides, int buckets, int maxDistance) {
  int first = 0;
  if (isBothSides) {
    buckets /= 2;
    if (distance > 0) first = buckets;
    distance = std::abs(distance);
  } else {
    distance = std::max<std::int64_t>(-distance, 0);
  }
  const int exact = buckets / 2;
  if (distance < exact) return first + static_cast<int>(distance);
  // In float32, as there, so that distances between two buckets fall on the same side.
  const float share = std::log(static_cast<float>(distance) / static_cast<float>(exact)) /
                      static_cast<float>(std::log(static_cast<double>(maxDistance) / exact));
  const auto far = static_cast<std::int64_t>(share * static_cast<float>(buckets - exact));
  return first + static_cast<int>(std::min<std::int64_t>(exact + far, buckets - 1));
}

SwitchForward::SwitchForward(ForwardKit& kit, engine::EncoderDecoderCaches caches)
    : EncoderDecoderForward(kit, weightsOf(kit), std::move(caches)), m_capacity(kit.capacity()) {
  const auto& description = kit.description();
  const auto tableOf = [&](int layer) -> const std::vector<float>& {
    return kit.vector(LayerNames(layer, description.encoder->layers).positionBias());
  };
  m_encoderBias = biases(tableOf(0), description, 1 - m_capacity, m_capacity - 1);
  m_decoderBias = biases(tableOf(description.encoder->layers), description, 1 - m_capacity, 0);
}

/// Key k stands k - position after the query.
const float* SwitchForward::positionBias(bool isDecoder, int head, std::int64_t position) const {
  const std::int64_t zero = m_capacity - 1;  // where distance 0 lies
  if (isDecoder) return m_decoderBias.data() + head * m_capacity + zero - position;
  return m_encoderBias.data() + head * (2 * m_capacity - 1) + zero - position;
}

}  // namespace moescope::switch_transformers
