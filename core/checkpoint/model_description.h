// ModelDescription: everything the one decoder must know about a model, as switches.
// Not for weights, and not for anything that only one family has (that lives in a file named after it).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/router_spec.h"

namespace moescope::checkpoint {

enum class NormKind : std::uint8_t {
  Rms,  ///< w * cast(x32 * rsqrt(mean(x32^2) + eps)) (llama-likes, olmoe)
};

enum class QkNorm : std::uint8_t {
  None,
  FullPre,  ///< RMS over the full projected width before the head split (olmoe, flex_olmo)
  HeadPre,  ///< RMS per head before RoPE (qwen3_moe)
};

enum class RopeScaling : std::uint8_t { None, Linear };

enum class ExpertStore : std::uint8_t {
  PerExpert,   ///< layout A: experts.{e}.gate_proj/up_proj/down_proj
  FusedOutIn,  ///< layout B: experts.gate_up_proj [E,2I,H], experts.down_proj [E,H,I]
};

struct RopeSpec {
  double theta = 10000.0;
  int rotaryDim = 0;  ///< leading channels of a head that rotate, half-split pairs (i, i + d/2)
  RopeScaling scaling = RopeScaling::None;
  double factor = 1.0;
};

struct AttentionSpec {
  int heads = 0;
  int keyValueHeads = 0;
  int headDim = 0;
  double scale = 0.0;  ///< multiplies q k^T; headDim^-0.5 unless the family says otherwise
  QkNorm qkNorm = QkNorm::None;
  std::optional<double> clipQkv;  ///< clamp of q, k, v to +-value after the norm
  bool qkvBias = false;
  bool outputBias = false;
  RopeSpec rope;
};

struct ExpertSpec {
  int intermediateSize = 0;  ///< silu GLU: down(silu(gate x) * up x)
  ExpertStore store = ExpertStore::PerExpert;
};

/// One model. Per-layer things are in `routers` (one entry an MoE layer, ascending).
struct ModelDescription {
  std::string family;        ///< model_type, e.g. "olmoe"
  std::string architecture;  ///< architectures[0]
  std::string configJson;    ///< config.json as read, compact

  int hiddenSize = 0;
  int layers = 0;
  int vocabularySize = 0;
  int maxPositions = 0;
  bool tiedHead = false;
  NormKind norm = NormKind::Rms;
  double normEps = 1e-5;
  AttentionSpec attention;
  ExpertSpec experts;
  std::vector<RouterSpec> routers;
  std::vector<std::int32_t> endTokens;     ///< generation stops at these; config and generation_config
  std::optional<std::int32_t> beginToken;  ///< bos_token_id of generation_config.json, else of config.json
  std::vector<std::string> warnings;       ///< shown in the model panel and by `inspect`

  std::int64_t parametersTotal = 0;   ///< counted from the tensors that are used
  std::int64_t parametersActive = 0;  ///< touched for one token: all but the experts not chosen

  [[nodiscard]] const RouterSpec* routerOfLayer(LayerIndex layer) const;
};

/// Reads config.json (old and new keys, class defaults for missing ones). `generationConfigText` may be
/// empty. Errors: `config.*`. The expert store is decided later, by the names on disk.
Result<ModelDescription> describeModel(std::string_view configText, const std::string& file,
                                       std::string_view generationConfigText = {});

/// Families that describeModel accepts, for messages.
std::vector<std::string> supportedFamilies();

}  // namespace moescope::checkpoint
