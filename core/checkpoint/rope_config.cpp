// Reading of rotary position embeddings from config.json, for all families.
#include <cmath>

#include <fmt/format.h>

#include "core/checkpoint/family.h"
#include "core/checkpoint/shown_text.h"

namespace moescope::checkpoint {

namespace {

constexpr double kMostPositions = 1 << 26;
constexpr std::size_t kMostFactors = 1 << 12;

/// The factor of the magnitude that YaRN's authors fit: 0.1 m ln(s) + 1.
double magnitude(double factor, double m) { return factor <= 1.0 ? 1.0 : 0.1 * m * std::log(factor) + 1.0; }

void readYarn(ConfigReader& inner, RopeSpec& rope, const RopeDefaults& defaults) {
  rope.scaling = RopeScaling::Yarn;
  rope.originalPositions =
      inner.number({"original_max_position_embeddings"}, defaults.maxPositions, 1.0, kMostPositions);
  // Where both are there and disagree, the explicit factor counts.
  rope.factor = inner.number({"factor"}, defaults.maxPositions / rope.originalPositions, 1e-6, 1e6);
  rope.betaFast = inner.number({"beta_fast"}, 32.0, 1e-6, 1e6);
  rope.betaSlow = inner.number({"beta_slow"}, 1.0, 1e-6, 1e6);
  rope.truncate = inner.flag("truncate", true);
  const double all = inner.number({"mscale_all_dim"}, 0.0, 0.0, 1e3);
  const double part = inner.number({"mscale"}, 0.0, 0.0, 1e3);
  const double usual = part != 0.0 && all != 0.0 ? magnitude(rope.factor, part) / magnitude(rope.factor, all)
                                                 : magnitude(rope.factor, 1.0);
  rope.attentionFactor = inner.number({"attention_factor"}, usual, 0.0, 1e6);
}

void readLlama3(ConfigReader& inner, RopeSpec& rope, const RopeDefaults& defaults) {
  rope.scaling = RopeScaling::Llama3;
  rope.factor = inner.number({"factor"}, 1.0, 1e-6, 1e6);
  rope.originalPositions =
      inner.number({"original_max_position_embeddings"}, defaults.maxPositions, 1.0, kMostPositions);
  rope.lowFrequency = inner.number({"low_freq_factor"}, 1.0, 1e-6, 1e6);
  rope.highFrequency = inner.number({"high_freq_factor"}, 4.0, 1e-6, 1e6);
}

void readDynamic(ConfigReader& inner, RopeSpec& rope, const RopeDefaults& defaults) {
  rope.factor = inner.number({"factor"}, 1.0, 1e-6, 1e6);
  rope.originalPositions =
      inner.number({"original_max_position_embeddings"}, defaults.maxPositions, 1.0, kMostPositions);
  rope.scaling = RopeScaling::Dynamic;
  if (inner.find("alpha") == nullptr) return;
  rope.scaling = RopeScaling::DynamicAlpha;
  rope.alpha = inner.number({"alpha"}, 1.0, 1e-6, 1e9);
}

std::vector<double> factorsOf(ConfigReader& config, ConfigReader& inner, const char* key) {
  const auto* list = inner.find(key);
  std::vector<double> factors;
  if (list == nullptr || !list->is_array() || list->size() > kMostFactors) {
    config.error("config.bad_value", key, "longrope needs a list of factors");
    return factors;
  }
  for (const auto& factor : *list) {
    if (!factor.is_number() || !(factor.get<double>() > 0.0)) {
      config.error("config.bad_value", key, fmt::format("{} is not a factor", shownValue(factor)));
      return {};
    }
    factors.push_back(factor.get<double>());
  }
  return factors;
}

void readLongRope(ConfigReader& config, ConfigReader& inner, RopeSpec& rope, const RopeDefaults& defaults) {
  rope.scaling = RopeScaling::LongRope;
  const double outer =
      config.number({"original_max_position_embeddings"}, defaults.maxPositions, 1.0, kMostPositions);
  rope.originalPositions = inner.number({"original_max_position_embeddings"}, outer, 1.0, kMostPositions);
  rope.shortFactors = factorsOf(config, inner, "short_factor");
  rope.longFactors = factorsOf(config, inner, "long_factor");
  const double growth = inner.number({"factor"}, defaults.maxPositions / rope.originalPositions, 1e-6, 1e6);
  const double usual =
      growth <= 1.0 ? 1.0 : std::sqrt(1.0 + std::log(growth) / std::log(rope.originalPositions));
  rope.attentionFactor = inner.number({"attention_factor"}, usual, 0.0, 1e6);
  rope.longAttentionFactor = inner.number({"long_mscale"}, rope.attentionFactor, 0.0, 1e6);
  rope.attentionFactor = inner.number({"short_mscale"}, rope.attentionFactor, 0.0, 1e6);
}

void readScaling(ConfigReader& config, const char* key, ConfigReader& inner, RopeSpec& rope,
                 const RopeDefaults& defaults) {
  const std::string kind = inner.text("rope_type", inner.text("type", "default"));
  if (kind == "linear") {
    rope.scaling = RopeScaling::Linear;
    rope.factor = inner.number({"factor"}, 0.0, 1e-6, 1e6);
    if (inner.find("factor") == nullptr)
      config.error("config.bad_value", key, "linear scaling gives no factor");
  } else if (kind == "yarn") {
    readYarn(inner, rope, defaults);
  } else if (kind == "llama3") {
    readLlama3(inner, rope, defaults);
  } else if (kind == "dynamic") {
    readDynamic(inner, rope, defaults);
  } else if (kind == "longrope" || kind == "su") {
    readLongRope(config, inner, rope, defaults);
  } else if (kind != "default") {
    config.error("config.bad_value", key, fmt::format("the RoPE kind \"{}\" is not supported", shown(kind)));
  }
}

}  // namespace

void describeRope(ConfigReader& config, RopeSpec& rope, const RopeDefaults& defaults) {
  const int headDim = defaults.headDim;
  rope.theta = config.number({"rope_theta"}, defaults.theta, 1.0, 1e12);
  // An old alias that transformers leaves unread; the models that have it mean it.
  double partial = defaults.partialRotary;
  if (config.find("rotary_dim") != nullptr)
    partial = static_cast<double>(config.whole({"rotary_dim"}, headDim, 1, headDim)) / headDim;
  partial = config.number({"partial_rotary_factor"}, partial, 0.0, 1.0);
  // New files hold one dict of everything, old ones rope_scaling beside rope_theta; transformers takes
  // rope_scaling where it says something.
  const auto* scaling = config.find("rope_scaling");
  const char* key = scaling != nullptr && !scaling->empty() ? "rope_scaling" : "rope_parameters";
  if (const auto* dict = config.find(key); dict != nullptr && !dict->is_object()) {
    config.error("config.wrong_type", key, "is not an object");
  } else if (dict != nullptr) {
    ConfigReader inner(*dict, {});
    rope.theta = inner.number({"rope_theta"}, rope.theta, 1.0, 1e12);
    partial = inner.number({"partial_rotary_factor"}, partial, 0.0, 1.0);
    readScaling(config, key, inner, rope, defaults);
    if (const auto& error = inner.firstError()) {
      config.error(error->kind.c_str(), fmt::format("{}.{}", key, error->where), error->message);
    }
  }
  rope.rotaryDim = static_cast<int>(headDim * partial) / 2 * 2;
  if (rope.rotaryDim == 0) config.error("config.bad_value", "head_dim", "leaves no channel to rotate");
  const auto half = static_cast<std::size_t>(rope.rotaryDim / 2);
  if (rope.scaling == RopeScaling::LongRope &&
      (rope.shortFactors.size() != half || rope.longFactors.size() != half)) {
    config.error("config.bad_value", key, fmt::format("longrope needs {} factors", half));
  }
}

}  // namespace moescope::checkpoint
