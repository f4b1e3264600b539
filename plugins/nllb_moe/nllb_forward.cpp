#include "plugins/nllb_moe/nllb_forward.h"

#include <algorithm>
#include <cmath>

namespace moescope::nllb_moe {

using engine::ForwardKit;

namespace {

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

engine::Projection linear(const ForwardKit& kit, const std::string& name) {
  return {kit.matrix(name + ".weight"), &kit.vector(name + ".bias")};
}

engine::NormWeights norm(const ForwardKit& kit, const std::string& name) {
  return {&kit.vector(name + ".weight"), &kit.vector(name + ".bias")};
}

engine::AttentionWeights attentionOf(const ForwardKit& kit, const AttentionNames& names) {
  return {norm(kit, names.norm), linear(kit, names.query), linear(kit, names.key), linear(kit, names.value),
          linear(kit, names.output)};
}

engine::CoderLayer layerOf(const ForwardKit& kit, int layer) {
  const auto& description = kit.description();
  const LayerNames names(layer, description.encoder->layers);
  engine::CoderLayer weights;
  weights.self = attentionOf(kit, names.self);
  if (names.isDecoder) weights.cross = attentionOf(kit, names.cross);
  weights.feedForwardNorm = norm(kit, names.feedForwardNorm);
  const auto addMlp = [&](const std::string& prefix) {
    weights.mlps.push_back({linear(kit, prefix + "fc1"), linear(kit, prefix + "fc2")});
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
  weights.encoderNorm = norm(kit, kEncoderNorm);
  weights.decoderNorm = norm(kit, kDecoderNorm);
  return weights;
}

AttentionNames attentionNames(const std::string& layer, const std::string& attention) {
  const std::string prefix = layer + attention + ".";
  return {layer + attention + "_layer_norm", prefix + "q_proj", prefix + "k_proj", prefix + "v_proj",
          prefix + "out_proj"};
}

}  // namespace

LayerNames::LayerNames(int layer, int encoderLayers) : isDecoder(layer >= encoderLayers) {
  const std::string prefix = isDecoder ? "model.decoder.layers." + std::to_string(layer - encoderLayers) + "."
                                       : "model.encoder.layers." + std::to_string(layer) + ".";
  self = attentionNames(prefix, "self_attn");
  cross = attentionNames(prefix, "cross_attention");
  feedForwardNorm = prefix + "ff_layer_norm";
  mlpPrefix = prefix + "ffn.";
  router = mlpPrefix + "router.classifier";
}

std::string LayerNames::mlp(int expert) const {
  return expert < 0 ? mlpPrefix : mlpPrefix + "experts.expert_" + std::to_string(expert) + ".";
}

NllbForward::NllbForward(ForwardKit& kit, engine::EncoderDecoderCaches caches)
    : EncoderDecoderForward(kit, weightsOf(kit), std::move(caches)),
      m_first(Layout::of(kit.description()).padding + 1) {
  const int half = kit.description().hiddenSize / 2;
  const auto step = static_cast<float>(std::log(10000.0) / (half - 1));
  for (int i = 0; i < half; ++i) m_frequencies.push_back(std::exp(static_cast<float>(i) * -step));
}

void NllbForward::addPosition(std::int64_t position, float* embedding) const {
  float* cosines = embedding + m_frequencies.size();
  for (std::size_t i = 0; i < m_frequencies.size(); ++i) {
    const float angle = static_cast<float>(m_first + position) * m_frequencies[i];
    embedding[i] += std::sin(angle);
    cosines[i] += std::cos(angle);
  }
}

}  // namespace moescope::nllb_moe
