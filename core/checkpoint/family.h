// Family: one row of the table of model families: how its config is read and how its tensors are named.
// Not for running; the decoder obeys the ModelDescription that comes out.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "core/checkpoint/config_reader.h"
#include "core/checkpoint/model_description.h"

namespace moescope::checkpoint {

/// Tensor names by role. `{l}` is the layer, `{e}` the expert. An empty name is a tensor the family lacks.
struct NameMap {
  std::string_view embedding, finalNorm, head;
  std::string_view layerPrefix;  ///< of everything below, also used to find tensors of layers past the last
  std::string_view inputNorm, postAttentionNorm;
  std::string_view query, key, value, output;
  std::string_view queryNorm, keyNorm;
  std::string_view router;
  std::string_view expertGate, expertUp, expertDown;  ///< layout A
  std::string_view fusedGateUp, fusedDown;            ///< layout B
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

// Families with something of their own, each in a file named after it.
void describeOlmoe(ConfigReader& config, ModelDescription& description);

// What many families share.
/// hidden_size, layers, vocabulary, positions, norm eps, tie, end tokens.
struct CommonDefaults {
  int hiddenSize, layers, heads, vocabularySize, maxPositions;
  double normEps, ropeTheta;
  std::optional<std::int32_t> endToken;
};
void describeCommon(ConfigReader& config, ModelDescription& description, const CommonDefaults& defaults);
/// rope_theta, rope_scaling, rope_parameters: old and new keys, in transformers' order of precedence.
void describeRope(ConfigReader& config, RopeSpec& rope, int headDim, double defaultTheta);

}  // namespace moescope::checkpoint
