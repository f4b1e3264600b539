// openmoe: two choices with a capacity, every interval-th layer with experts and a dense MLP after them, a
// gate of double width. Keys and defaults are those of the authors' code, whose configuration class is
// llama's.
#include "core/checkpoint/family.h"

namespace moescope::checkpoint {

namespace {

/// The authors' angles do not follow the configuration.
constexpr double kTheta = 1e4;

void describeCapacity(ConfigReader& config, ModelDescription& description) {
  bool drops = true;
  for (const char* key : {"drop_tks", "router_drop_tks"}) drops = config.flag(key, drops);
  CapacitySpec capacity;
  capacity.factor = config.number({"router_capacity_factor_eval", "capacity_factor_eval"}, 2.0, 0.0, 1e6);
  capacity.minimum = static_cast<int>(config.whole({"router_min_capacity", "min_capacity"}, 4, 1, 1 << 26));
  if (drops) description.capacity = capacity;
}

void describeAttention(ConfigReader& config, ModelDescription& description) {
  AttentionSpec& attention = description.attention;
  if (config.find("head_dim") == nullptr)
    config.error("config.bad_value", "head_dim", "the width of a head is not given");
  attention.scale = 1.0;
  if (attention.rope.theta == kTheta && attention.rope.scaling == RopeScaling::None) return;
  description.warnings.emplace_back("rope_theta and rope_scaling are not used, as in the authors' code");
  attention.rope = {};
  attention.rope.theta = kTheta;
  attention.rope.rotaryDim = attention.headDim;
}

}  // namespace

void describeOpenMoe(ConfigReader& config, ModelDescription& description) {
  describeCommon(config, description,
                 {.hiddenSize = 4096,
                  .layers = 32,
                  .heads = 32,
                  .vocabularySize = 32000,
                  .maxPositions = 2048,
                  .normEps = 1e-6,
                  .ropeTheta = kTheta,
                  .endToken = 2,
                  .headDim = 128,
                  .activation = "swiglu"});
  describeAttention(config, description);
  describeCapacity(config, description);
  for (const char* key : {"mlp_gated", "gated"}) {
    if (!config.flag(key, true))
      config.error("config.bad_value", key, "MLPs without a gate are not supported");
  }
  description.experts.intermediateSize = describeWidth(config, "intermediate_size", 11008);
  description.experts.activation = Activation::DoubleGate;
  description.experts.store = ExpertStore::StackedInOut;
  description.wideRouter = true;
  const RouterSpec router = describeRouter(config, {.experts = 0, .topK = 2});
  if (router.topK != 2)
    config.error("config.bad_value", "router_topk", "the router of this family chooses two experts");
  const std::int64_t interval = config.whole({"moe_layer_interval"}, 1, 1, 1 << 12);
  if (config.find("moe_layer_interval") == nullptr)
    config.error("config.bad_value", "moe_layer_interval", "it is not given which layers have experts");
  placeRouters(description, router, description.experts.intermediateSize,
               [interval](int layer) { return (layer + 1) % interval == 0; });
  for (LayerSpec& layer : description.layerSpecs)
    layer.denseIntermediateSize = description.experts.intermediateSize;
}

}  // namespace moescope::checkpoint
