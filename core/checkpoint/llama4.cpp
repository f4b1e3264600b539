// llama4 text: sigmoid gates that scale the experts' input, chunked attention, layers without RoPE.
#include <algorithm>

#include "core/checkpoint/family.h"

namespace moescope::checkpoint {

namespace {

/// no_rope_layers: 1 means RoPE. layer_types: which layers see only their chunk.
void placeAttention(ConfigReader& config, ModelDescription& description) {
  const std::int64_t interval = config.whole({"no_rope_layer_interval"}, 4, 1, 1 << 12);
  const std::vector<std::int32_t> rotating = config.tokenIds("no_rope_layers");
  const std::int64_t chunk =
      config.mentions("attention_chunk_size") ? config.whole({"attention_chunk_size"}, 0, 1, 1 << 26) : 8192;
  const auto* types = config.find("layer_types");
  const auto layers = static_cast<std::size_t>(description.layers);
  const bool fits = types == nullptr || (types->is_array() && types->size() == layers);
  if (!fits || (!rotating.empty() && rotating.size() != layers)) {
    config.error("config.bad_value", fits ? "no_rope_layers" : "layer_types",
                 "is not a list of one entry a layer");
    return;
  }
  for (std::size_t layer = 0; layer < layers; ++layer) {
    LayerSpec& spec = description.layerSpecs[layer];
    spec.rotates =
        rotating.empty() ? (static_cast<std::int64_t>(layer) + 1) % interval != 0 : rotating[layer] != 0;
    const bool isChunked = types == nullptr ? spec.rotates : (*types)[layer] == "chunked_attention";
    if (isChunked) spec.chunk = chunk;
  }
}

}  // namespace

void describeLlama4(ConfigReader& config, ModelDescription& description) {
  describeCommon(config, description,
                 {.hiddenSize = 5120,
                  .layers = 48,
                  .heads = 40,
                  .vocabularySize = 202048,
                  .maxPositions = 131072,
                  .normEps = 1e-5,
                  .ropeTheta = 5e5,
                  .endToken = 2,
                  .keyValueHeads = 8,
                  .headDim = 128});
  auto& attention = description.attention;
  attention.rope.layout = RopeLayout::Interleaved;
  if (config.flag("use_qk_norm", true)) attention.qkNorm = QkNorm::L2Post;
  attention.qkvBias = attention.outputBias = config.flag("attention_bias", false);
  if (config.flag("attn_temperature_tuning", true)) {
    attention.temperature = TemperatureTuning{config.number({"floor_scale"}, 8192.0, 1.0, 1e9),
                                              config.number({"attn_scale"}, 0.1, -1e3, 1e3)};
  }
  placeAttention(config, description);
  auto& experts = description.experts;
  experts.intermediateSize = describeWidth(config, "intermediate_size", 8192);
  experts.store = ExpertStore::FusedInOut;
  experts.scalesInput = true;
  description.shared.intermediateSize = experts.intermediateSize;
  RouterSpec router = describeRouter(config, {.experts = 16, .topK = 1});
  router.score = ScoreKind::SigmoidAll;
  router.sharedExperts = 1;
  const std::int64_t step = config.whole({"interleave_moe_layer_step"}, 1, 1, 1 << 12);
  const std::vector<std::int32_t> listed = config.tokenIds("moe_layers");
  placeRouters(description, router, describeWidth(config, "intermediate_size_mlp", 16384), [&](int layer) {
    return config.find("moe_layers") == nullptr
               ? (layer + 1) % step == 0
               : std::find(listed.begin(), listed.end(), layer) != listed.end();
  });
}

}  // namespace moescope::checkpoint
