// Family: one row of the table of model families: how its config is read and how its tensors are named.
// Not for running; the decoder obeys the ModelDescription that comes out.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "core/checkpoint/config_reader.h"
#include "core/checkpoint/model_description.h"

namespace moescope::checkpoint {

/// Tensor names by role. `{l}` is the layer, `{e}` the expert. An empty name is a tensor the family lacks.
/// Names of projections stand without ".weight" and ".bias".
struct NameMap {
  std::string_view embedding = {}, finalNorm = {}, head = {};
  /// Of everything below; also used to find tensors of layers past the last.
  std::string_view layerPrefix = {};
  std::string_view inputNorm = {}, postAttentionNorm = {}, postFeedForwardNorm = {};
  std::string_view query = {}, key = {}, value = {}, output = {};
  std::string_view fusedQkv = {};
  std::string_view queryNorm = {}, keyNorm = {}, sinks = {};
  std::string_view queryDown = {}, queryDownNorm = {}, queryUp = {};           ///< latent attention
  std::string_view keyValueDown = {}, keyValueDownNorm = {}, keyValueUp = {};  ///< latent attention
  std::string_view router = {}, selectionBias = {};
  std::string_view routerParameter = {};  ///< in the place of `router`: without ".weight"
  std::string_view expertGate = {}, expertUp = {}, expertDown = {};     ///< layout A
  std::string_view fusedGateUp = {}, fusedDown = {};                    ///< layouts B and C
  std::string_view stackedGate = {}, stackedUp = {}, stackedDown = {};  ///< GGUF, openmoe
  std::string_view sharedGate = {}, sharedUp = {}, sharedDown = {}, sharedGateUp = {}, sharedRouter = {};
  std::string_view denseGate = {}, denseUp = {}, denseDown = {};
  std::string_view extraNorm = {}, extraGate = {}, extraUp = {}, extraDown = {};  ///< after the experts
  /// The same family as transformers 5 holds it in memory; taken where the first layer with a router has it
  /// under this name and not under the one above.
  const NameMap* elsewhere = nullptr;

  /// For adapters, whose norms and attention are their own.
  [[nodiscard]] NameMap withoutAttention() const;
};

struct Family {
  std::string_view modelType;
  std::string_view architecture;  ///< used when config.json has no model_type
  void (*describe)(ConfigReader& config, ModelDescription& description);
  const NameMap* names;
};

/// All families, one row each.
std::span<const Family> families();
/// Null if there is no such family.
const Family* findFamily(std::string_view modelType);

// The families, each in a file named after it or after what its relatives share.
void describeOlmoe(ConfigReader& config, ModelDescription& description);
void describeMixtral(ConfigReader& config, ModelDescription& description);
void describeQwen2Moe(ConfigReader& config, ModelDescription& description);
void describeQwen3Moe(ConfigReader& config, ModelDescription& description);
void describeGraniteMoe(ConfigReader& config, ModelDescription& description);
void describeGraniteMoeShared(ConfigReader& config, ModelDescription& description);
void describeDeepseekV2(ConfigReader& config, ModelDescription& description);
void describeDeepseekV3(ConfigReader& config, ModelDescription& description);
void describeGlm4Moe(ConfigReader& config, ModelDescription& description);
void describeDots1(ConfigReader& config, ModelDescription& description);
void describeGptOss(ConfigReader& config, ModelDescription& description);
void describeFlexOlmo(ConfigReader& config, ModelDescription& description);
void describeErnieMoe(ConfigReader& config, ModelDescription& description);
void describeHunyuanMoe(ConfigReader& config, ModelDescription& description);
void describePhimoe(ConfigReader& config, ModelDescription& description);
void describeLlama4(ConfigReader& config, ModelDescription& description);
void describeDbrx(ConfigReader& config, ModelDescription& description);
void describeBailingMoeV2(ConfigReader& config, ModelDescription& description);
void describeOpenMoe(ConfigReader& config, ModelDescription& description);

// What many families share.
/// decoder_start_token_id and forced_bos_token_id, where the configuration gives them.
void describeDecoderStart(ConfigReader& config, EncoderSpec& encoder);
/// Class defaults: config.json leaves out what equals them.
struct CommonDefaults {
  int hiddenSize, layers, heads, vocabularySize, maxPositions;
  double normEps, ropeTheta;
  std::optional<std::int32_t> endToken;
  bool tiedHead = false;
  int keyValueHeads = 0;  ///< 0: as many as heads
  int headDim = 0;        ///< 0: hidden size / heads
  double partialRotary = 1.0;
  std::string_view activation = "silu";  ///< the only one the family has
};
/// hidden_size, layers, vocabulary, positions, norm eps, tie, end tokens, heads, RoPE; `layerSpecs` gets its
/// size.
void describeCommon(ConfigReader& config, ModelDescription& description, const CommonDefaults& defaults);

struct RopeDefaults {
  int headDim;
  double theta;
  double partialRotary;
  int maxPositions;
};
/// rope_theta, rope_scaling, rope_parameters: old and new keys, in transformers' order of precedence.
void describeRope(ConfigReader& config, RopeSpec& rope, const RopeDefaults& defaults);

struct RouterDefaults {
  int experts, topK;  ///< 0: the file must say
};
/// Numbers of experts and choices under all their names. Errors if the file gives impossible ones.
RouterSpec describeRouter(ConfigReader& config, const RouterDefaults& defaults);
/// Gives every layer for which `isMoe` holds a router like `router`, the others a dense MLP of the width.
template <class Predicate>
void placeRouters(ModelDescription& description, RouterSpec router, int denseIntermediateSize,
                  const Predicate& isMoe) {
  for (int layer = 0; layer < description.layers; ++layer) {
    LayerSpec& spec = description.layerSpecs[static_cast<std::size_t>(layer)];
    if (isMoe(layer)) {
      spec.router = static_cast<int>(description.routers.size());
      router.layer = {layer};
      description.routers.push_back(router);
    } else {
      spec.denseIntermediateSize = denseIntermediateSize;
    }
  }
}
/// Class defaults of the families that share deepseek_v3's router.
struct BiasedExpertDefaults {
  int experts = 0, topK = 0;  ///< 0: the file must say
  int groups = 1, groupsKept = 1;
  bool normalised = false;
  double scale = 1.0;
  int expertWidth = 0, denseWidth = 0;
  int sharedExperts = 0;
  int firstDense = 0;
};
/// Sigmoid scores, a correction bias for the choice alone, groups by the sum of their two best, shared
/// experts; the first layers are dense.
void describeBiasedExperts(ConfigReader& config, ModelDescription& description,
                           const BiasedExpertDefaults& defaults);
/// A width such as moe_intermediate_size.
int describeWidth(ConfigReader& config, const char* key, int fallback);
/// `layer_types` where the file gives them, else `isSliding`: layers that see only the last `window` tokens.
void placeWindows(ConfigReader& config, ModelDescription& description, std::int64_t window,
                  const std::function<bool(int layer)>& isSliding);

}  // namespace moescope::checkpoint
