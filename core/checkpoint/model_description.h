// ModelDescription: everything the one decoder must know about a model, as switches.
// Not for weights, and not for anything that only one family has (that lives in a file named after it).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/router_spec.h"

namespace moescope::checkpoint {

class ModelAdapter;

enum class NormKind : std::uint8_t {
  Rms,             ///< w * cast(x32 * rsqrt(mean(x32^2) + eps)) (llama-likes, olmoe)
  RmsWide,         ///< cast(w * (x32 * rsqrt(..))): multiplied before the cast (gpt_oss, flex_olmo)
  LayerNorm,       ///< mean subtracted, weight and bias (phimoe)
  LayerNormNoBias  ///< mean subtracted, weight alone (dbrx)
};

/// Where the norms of a block stand.
enum class BlockOrder : std::uint8_t {
  PreNorm,  ///< h += sublayer(norm h)
  PostNorm  ///< h += norm(sublayer h): the router sees the stream as it is (flex_olmo)
};

enum class QkNorm : std::uint8_t {
  None,
  FullPre,   ///< RMS over the full projected width before the head split (olmoe, flex_olmo)
  HeadPre,   ///< RMS per head before RoPE (qwen3_moe, dots1, glm4_moe)
  HeadPost,  ///< RMS per head after RoPE (hunyuan_v1_moe)
  L2Post     ///< RMS without a weight per head after RoPE, on rotating layers (llama4)
};

enum class RopeLayout : std::uint8_t {
  HalfSplit,   ///< pairs (i, i + d/2)
  Interleaved  ///< pairs (2i, 2i + 1) (deepseek, ernie4_5_moe, llama4)
};

enum class RopeScaling : std::uint8_t { None, Linear, Dynamic, DynamicAlpha, Yarn, Llama3, LongRope };
std::string_view name(RopeScaling scaling);  ///< "none", "linear", "yarn", ...

/// Rotary position embedding. A scaling uses the fields that its formula names (models.md 1.4 of the design;
/// transformers' modeling_rope_utils).
struct RopeSpec {
  double theta = 10000.0;
  int rotaryDim = 0;  ///< leading channels of a head that rotate
  RopeLayout layout = RopeLayout::HalfSplit;
  RopeScaling scaling = RopeScaling::None;
  double factor = 1.0;
  double originalPositions = 0.0;                  ///< original_max_position_embeddings
  double betaFast = 32.0, betaSlow = 1.0;          ///< Yarn: rotations between which the ramp runs
  bool truncate = true;                            ///< Yarn: the ramp's ends are whole channels
  double lowFrequency = 1.0, highFrequency = 4.0;  ///< Llama3
  double alpha = 1.0;                              ///< DynamicAlpha
  std::vector<double> shortFactors, longFactors;   ///< LongRope: [rotaryDim / 2]
  double attentionFactor = 1.0;                    ///< multiplies cosines and sines
  double longAttentionFactor = 1.0;                ///< LongRope beyond originalPositions
};

/// Multi-head latent attention: keys and values come from a narrow projection (deepseek_v2, deepseek_v3).
struct LatentSpec {
  int queryRank = 0;  ///< 0: the query is projected at once
  int keyValueRank = 0;
  int nopeDim = 0;  ///< channels of a head that do not rotate; they come first
  int ropeDim = 0;  ///< channels that do, shared by all heads in the key
};

/// Without RoPE: query times 1 + scale * ln(1 + floor((position + 1) / floor)) (llama4).
struct TemperatureTuning {
  double floor = 8192.0;
  double scale = 0.1;
};

struct AttentionSpec {
  int heads = 0;
  int keyValueHeads = 0;
  int headDim = 0;     ///< of queries and keys
  int valueDim = 0;    ///< of values; headDim but for latent attention
  double scale = 0.0;  ///< multiplies q k^T; headDim^-0.5 unless the family says otherwise
  QkNorm qkNorm = QkNorm::None;
  std::optional<double> clipQkv;  ///< clamp of q, k, v to +-value after the norm
  bool qkvBias = false;
  bool outputBias = false;
  bool fusedQkv = false;  ///< one matrix, rows of q, then k, then v
  bool sinks = false;     ///< a learned logit a head that takes part in the softmax and is dropped (gpt_oss)
  std::optional<LatentSpec> latent;
  std::optional<TemperatureTuning> temperature;
  RopeSpec rope;
  std::string positions;  ///< what stands in for RoPE, in words: "sinusoidal positions"; empty: RoPE
};

enum class ExpertStore : std::uint8_t {
  PerExpert,    ///< layout A: experts.{e}.gate_proj/up_proj/down_proj
  FusedOutIn,   ///< layout B: gate_up [E,2I,H], down [E,H,I]
  FusedInOut,   ///< layout C: gate_up [E,H,2I], down [E,I,H] (gpt_oss, llama4)
  Flat,         ///< gate, up and down [E*I,H] each, down stored transposed (dbrx)
  Stacked,      ///< gate and up [E,I,H] each, down [E,H,I] (GGUF)
  StackedInOut  ///< gate [E,H,2I], up [E,H,I], down [E,I,H] (openmoe)
};
std::string_view name(ExpertStore store);  ///< "per_expert", "fused_out_in", ...

enum class Activation : std::uint8_t {
  Silu,          ///< down(silu(gate x) * up x)
  ClampedSwish,  ///< gate at most limit, up within +-limit: (up + 1) * gate * sigmoid(alpha * gate) (gpt_oss)
  DoubleGate     ///< the gate gives a, then b, 2I in all: down(a * silu(b) * up x), dense MLPs too (openmoe)
};

struct ExpertSpec {
  int intermediateSize = 0;
  ExpertStore store = ExpertStore::PerExpert;
  Activation activation = Activation::Silu;
  double alpha = 1.702, limit = 7.0;  ///< ClampedSwish
  bool interleaved = false;           ///< fused rows alternate gate, up, gate, up
  bool bias = false;
  bool scalesInput = false;  ///< the gate weight multiplies the expert's input, not its output (llama4)
};

/// Beside the routed experts, for every token; all shared experts as one.
struct SharedExpertSpec {
  int intermediateSize = 0;  ///< 0: none
  bool gated = false;        ///< times sigmoid(x w) (qwen2_moe)
};

/// How the capacity of an expert follows from the tokens that are forwarded together.
enum class CapacityRule : std::uint8_t {
  EvenShare,  ///< floor(k factor tokens / experts), made even upwards, at least the minimum (GShard; openmoe)
  Fixed,      ///< the minimum, however many tokens there are (switch_transformers)
  TokenShare  ///< ceil(factor tokens) (nllb_moe)
};

/// How many choices an expert takes of the tokens that are forwarded together. What comes later is dropped:
/// all first choices come before all second ones, tokens in their order.
struct CapacitySpec {
  CapacityRule rule = CapacityRule::EvenShare;
  double factor = 2.0;
  int minimum = 4;
  /// What a token's dropped choice weighed goes to the others in proportion: weights are normalised over what
  /// has a place (nllb_moe). Else the others keep their weights.
  bool renormalises = false;

  [[nodiscard]] std::int64_t choices(std::int64_t tokens, const RouterSpec& router) const;
};

/// What differs between layers. Visible to a query at position p are keys at k <= p, with a window W only
/// p - k < W, with chunks of C only those of the same chunk.
struct LayerSpec {
  std::int64_t window = 0;
  std::int64_t chunk = 0;
  bool rotates = true;
  std::string recurrence;    ///< what stands in for attention, in words: "Gated DeltaNet"; empty: attention
  int router = -1;           ///< index into `routers`; -1: a dense MLP
  int attentionRouter = -1;  ///< index into `routers`, where the attention heads are experts (jetmoe)
  int denseIntermediateSize = 0;  ///< beside a router: of a dense MLP that follows the experts (openmoe)
};

/// An encoder before the decoder: its layers come first, and what is forwarded as the prompt is its input.
struct EncoderSpec {
  int layers = 0;                           ///< of ModelDescription::layers
  std::int32_t decoderStart = 0;            ///< the decoder's first token
  std::optional<std::int32_t> forcedBegin;  ///< its second one, where the checkpoint says so
};

/// How the file stores what it quantises.
enum class Quantisation : std::uint8_t {
  None,
  Float8Block,  ///< F8_E4M3 with one F32 factor a block (deepseek_v3)
  Mxfp4         ///< experts in blocks of 32 values of 4 bits with one exponent (gpt_oss)
};
std::string_view name(Quantisation quantisation);  ///< "none", "fp8", "mxfp4"

struct QuantisationSpec {
  Quantisation kind = Quantisation::None;
  std::int64_t blockRows = 128, blockColumns = 128;  ///< Float8Block
};

/// What an adapter read beyond the switches: its own type derives from it.
struct AdapterData {
  virtual ~AdapterData() = default;
};

/// One model. Layers of an encoder-decoder are numbered through both parts. `routers` has one entry an MoE
/// layer, ascending; where attention is routed too, the feed-forward router of a layer stands before its
/// attention router.
struct ModelDescription {
  std::string family;        ///< model_type, e.g. "olmoe"
  std::string architecture;  ///< architectures[0]
  std::string configJson;    ///< config.json as read, compact; of GGUF metadata what it stands for
  /// Where transformers 5 and the model's authors disagree, what counts is transformers.
  bool likeTransformers = false;
  /// What runs the family; null: the one decoder.
  std::shared_ptr<const ModelAdapter> adapter;
  std::shared_ptr<const AdapterData> adapterData;

  int hiddenSize = 0;
  int layers = 0;
  int vocabularySize = 0;
  int maxPositions = 0;
  bool tiedHead = false;
  bool headBias = false;
  double embeddingMultiplier = 1.0;
  double residualMultiplier = 1.0;  ///< of what a sublayer adds
  double logitDivisor = 1.0;
  BlockOrder order = BlockOrder::PreNorm;
  NormKind norm = NormKind::Rms;
  double normEps = 1e-5;
  AttentionSpec attention;
  ExpertSpec experts;
  SharedExpertSpec shared;
  std::optional<EncoderSpec> encoder;    ///< of encoder-decoders
  std::optional<CapacitySpec> capacity;  ///< of every router's experts; most families drop nothing
  QuantisationSpec quantisation;
  bool mlpBias = false;     ///< of dense and shared MLPs (ernie4_5_moe)
  bool wideRouter = false;  ///< router logits are formed in float32 whatever the dtype (deepseek, hunyuan)
  bool routerBias = false;  ///< an additive bias of the router logits (gpt_oss)
  std::vector<LayerSpec> layerSpecs;  ///< [layers]
  std::vector<RouterSpec> routers;
  std::vector<std::int32_t> endTokens;     ///< generation stops at these; config and generation_config
  std::optional<std::int32_t> beginToken;  ///< bos_token_id of generation_config.json, else of config.json
  std::vector<std::string> warnings;       ///< shown in the model panel and by `inspect`

  std::int64_t parametersTotal = 0;   ///< counted from the tensors that are used
  std::int64_t parametersActive = 0;  ///< touched for one token: all but the experts not chosen

  [[nodiscard]] const RouterSpec* routerOfLayer(LayerIndex layer) const;
};

/// Whose word counts where transformers 5 and the model's authors disagree.
enum class Definition : std::uint8_t { Authors, Transformers };

/// Reads config.json (old and new keys, class defaults for missing ones). `generationConfigText` may be
/// empty. Errors: `config.*`. The expert store is decided later, by the names on disk.
Result<ModelDescription> describeModel(std::string_view configText, const std::string& file,
                                       std::string_view generationConfigText = {},
                                       Definition definition = Definition::Authors);

/// Families that describeModel accepts, those of adapters included, for messages.
std::vector<std::string> supportedFamilies();

}  // namespace moescope::checkpoint
