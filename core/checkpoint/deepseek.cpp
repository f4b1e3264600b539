// deepseek_v2, deepseek_v3 and the families that took over v3's router: glm4_moe and dots1.
#include <cmath>

#include <fmt/format.h>

#include "core/checkpoint/family.h"
#include "core/checkpoint/shown_text.h"

namespace moescope::checkpoint {

namespace {

constexpr double kNormEps = 1e-20;

/// n_group and topk_group; null means one group.
RouterGroups groupsOf(ConfigReader& config, const RouterSpec& router, int count, int keep) {
  RouterGroups groups;
  groups.count = static_cast<int>(config.whole({"n_group"}, count, 1, kMostRouterGroups));
  groups.keep = static_cast<int>(config.whole({"topk_group"}, std::min(keep, groups.count), 1, groups.count));
  if (router.experts % groups.count != 0) {
    config.error("config.bad_value", "n_group", fmt::format("does not divide {} experts", router.experts));
  } else if (router.topK > router.experts / groups.count * groups.keep) {
    config.error("config.bad_value", "topk_group",
                 fmt::format("{} groups hold fewer than {} experts", groups.keep, router.topK));
  }
  return groups;
}

/// Shared experts and which layers have experts at all: the first `firstDense` are dense.
void placeExperts(ConfigReader& config, ModelDescription& description, RouterSpec router,
                  const BiasedExpertDefaults& defaults) {
  description.wideRouter = true;
  description.experts.intermediateSize = describeWidth(config, "moe_intermediate_size", defaults.expertWidth);
  router.sharedExperts = static_cast<int>(
      config.whole({"n_shared_experts", "num_shared_experts"}, defaults.sharedExperts, 0, 1 << 10));
  description.shared.intermediateSize = description.experts.intermediateSize * router.sharedExperts;
  const std::int64_t first = config.whole({"first_k_dense_replace"}, defaults.firstDense, 0, 1 << 12);
  placeRouters(description, router, describeWidth(config, "intermediate_size", defaults.denseWidth),
               [first](int layer) { return layer >= first; });
}

/// Latent attention. The softmax scale takes YaRN's magnitude squared where mscale_all_dim is set.
void describeLatent(ConfigReader& config, ModelDescription& description, const CommonDefaults& defaults) {
  const auto width = [&](const char* key, int fallback) { return describeWidth(config, key, fallback); };
  auto& attention = description.attention;
  LatentSpec latent;
  latent.keyValueRank = width("kv_lora_rank", 512);
  // null means a query that is projected at once; a missing key means the class default.
  latent.queryRank = config.mentions("q_lora_rank") && config.find("q_lora_rank") == nullptr
                         ? 0
                         : width("q_lora_rank", 1536);
  latent.nopeDim = width("qk_nope_head_dim", 128);
  latent.ropeDim = width("qk_rope_head_dim", 64);
  attention.valueDim = width("v_head_dim", 128);
  attention.headDim = latent.nopeDim + latent.ropeDim;
  attention.keyValueHeads = attention.heads;
  attention.latent = latent;
  attention.qkvBias = attention.outputBias = config.flag("attention_bias", false);
  attention.rope = {};
  describeRope(config, attention.rope, {latent.ropeDim, defaults.ropeTheta, 1.0, description.maxPositions});
  attention.rope.layout = RopeLayout::Interleaved;
  attention.scale = 1.0 / std::sqrt(static_cast<double>(attention.headDim));
  if (attention.rope.scaling == RopeScaling::None) return;
  const auto* dict = config.find("rope_scaling");
  if (dict == nullptr || dict->empty()) dict = config.find("rope_parameters");
  if (dict == nullptr || !dict->is_object()) return;
  ConfigReader inner(*dict, {});
  const double all = inner.number({"mscale_all_dim"}, 0.0, 0.0, 1e3);
  if (all == 0.0 || attention.rope.factor <= 1.0) return;
  const double magnitude = 0.1 * all * std::log(attention.rope.factor) + 1.0;
  attention.scale *= magnitude * magnitude;
}

}  // namespace

void describeBiasedExperts(ConfigReader& config, ModelDescription& description,
                           const BiasedExpertDefaults& defaults) {
  RouterSpec router = describeRouter(config, {defaults.experts, defaults.topK});
  router.score = ScoreKind::SigmoidAll;
  router.groups = groupsOf(config, router, defaults.groups, defaults.groupsKept);
  if (config.flag("norm_topk_prob", defaults.normalised)) {
    router.norm = WeightNorm::SumOne;
    router.normParameter = kNormEps;
  }
  router.scale = config.number({"routed_scaling_factor"}, defaults.scale, 0.0, 1e6);
  placeExperts(config, description, router, defaults);
}

void describeDeepseekV2(ConfigReader& config, ModelDescription& description) {
  const CommonDefaults defaults{.hiddenSize = 4096,
                                .layers = 32,
                                .heads = 32,
                                .vocabularySize = 102400,
                                .maxPositions = 2048,
                                .normEps = 1e-6,
                                .ropeTheta = 1e4,
                                .endToken = 2,
                                .headDim = 64};
  describeCommon(config, description, defaults);
  describeLatent(config, description, defaults);
  RouterSpec router = describeRouter(config, {.experts = 64, .topK = 0});
  router.scale = config.number({"routed_scaling_factor"}, 1.0, 0.0, 1e6);
  const std::string method = config.text("topk_method", "greedy");
  if (method == "group_limited_greedy") {
    router.groups = groupsOf(config, router, 1, 1);
    router.groups.score = GroupScore::Max;
    router.groups.maskWithZero = true;
  } else if (method != "greedy") {
    config.error("config.bad_value", "topk_method", fmt::format("\"{}\" is not supported", shown(method)));
  }
  if (config.flag("norm_topk_prob", false)) {
    description.warnings.emplace_back(
        "norm_topk_prob is true; as in transformers, the gate weights are used as scored");
  }
  placeExperts(config, description, router,
               {.expertWidth = 1407, .denseWidth = 11008, .sharedExperts = 2, .firstDense = 0});
}

void describeDeepseekV3(ConfigReader& config, ModelDescription& description) {
  const CommonDefaults defaults{.hiddenSize = 7168,
                                .layers = 61,
                                .heads = 128,
                                .vocabularySize = 129280,
                                .maxPositions = 4096,
                                .normEps = 1e-6,
                                .ropeTheta = 1e4,
                                .endToken = 1,
                                .headDim = 64};
  describeCommon(config, description, defaults);
  describeLatent(config, description, defaults);
  if (!config.flag("rope_interleave", true)) description.attention.rope.layout = RopeLayout::HalfSplit;
  describeBiasedExperts(config, description,
                        {.experts = 256,
                         .topK = 8,
                         .groups = 8,
                         .groupsKept = 4,
                         .normalised = true,
                         .scale = 2.5,
                         .expertWidth = 2048,
                         .denseWidth = 18432,
                         .sharedExperts = 1,
                         .firstDense = 3});
}

void describeGlm4Moe(ConfigReader& config, ModelDescription& description) {
  describeCommon(config, description,
                 {.hiddenSize = 4096,
                  .layers = 46,
                  .heads = 96,
                  .vocabularySize = 151552,
                  .maxPositions = 131072,
                  .normEps = 1e-5,
                  .ropeTheta = 1e4,
                  .endToken = {},
                  .keyValueHeads = 8,
                  .partialRotary = 0.5});
  description.attention.qkvBias = config.flag("attention_bias", false);
  if (config.flag("use_qk_norm", false)) description.attention.qkNorm = QkNorm::HeadPre;
  describeBiasedExperts(config, description,
                        {.experts = 128,
                         .topK = 8,
                         .normalised = true,
                         .expertWidth = 1408,
                         .denseWidth = 10944,
                         .sharedExperts = 1,
                         .firstDense = 1});
}

void describeDots1(ConfigReader& config, ModelDescription& description) {
  describeCommon(config, description,
                 {.hiddenSize = 4608,
                  .layers = 62,
                  .heads = 32,
                  .vocabularySize = 152064,
                  .maxPositions = 2048,
                  .normEps = 1e-6,
                  .ropeTheta = 1e4,
                  .endToken = {},
                  .keyValueHeads = 32});
  auto& attention = description.attention;
  attention.qkNorm = QkNorm::HeadPre;
  attention.qkvBias = attention.outputBias = config.flag("attention_bias", false);
  const bool none = config.mentions("sliding_window") && config.find("sliding_window") == nullptr;
  const std::int64_t window = none ? 0 : config.whole({"sliding_window"}, 4096, 0, 1 << 26);
  const std::int64_t first = config.whole({"max_window_layers"}, 62, 0, 1 << 12);
  placeWindows(config, description, window, [first](int layer) { return layer >= first; });
  describeBiasedExperts(config, description, {.expertWidth = 1408, .denseWidth = 10944});
}

}  // namespace moescope::checkpoint
