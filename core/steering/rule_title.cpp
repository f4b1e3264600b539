// The names of rules as the window and the command line write them.
#include <algorithm>

#include <fmt/format.h>

#include "core/steering/steering_program.h"

namespace moescope::steering {

namespace {

constexpr std::string_view kMinus = "\u2212";
constexpr std::string_view kTimes = "\u00d7";

std::string signedNumber(double value) {
  return value < 0 ? fmt::format("{}{:.2f}", kMinus, -value) : fmt::format("+{:.2f}", value);
}

std::string layersText(const std::vector<std::int32_t>& layers) {
  if (layers.empty()) return "all layers";
  std::vector<std::int32_t> sorted = layers;
  std::sort(sorted.begin(), sorted.end());
  const bool run = sorted.back() - sorted.front() + 1 == static_cast<std::int32_t>(sorted.size());
  if (sorted.size() == 1) return fmt::format("L{}", sorted[0]);
  if (run) return fmt::format("layers {}\u2013{}", sorted.front(), sorted.back());
  return fmt::format("{} layers", sorted.size());
}

std::string layersText(const Rule& rule) {
  const std::string layers = layersText(rule.layers);
  return rule.router.empty() ? layers : fmt::format("{}, {} routers", layers, rule.router);
}

std::string cellsText(const Rule& rule) {
  if (rule.experts.size() == 1 && rule.layers.size() == 1) {
    const std::string kind = rule.router == "attention" ? " attn" : rule.router.empty() ? "" : " ffn";
    return fmt::format("L{}{} E{}", rule.layers[0], kind, rule.experts[0]);
  }
  if (rule.experts.empty()) return fmt::format("all experts, {}", layersText(rule));
  if (rule.experts.size() == 1) return fmt::format("E{}, {}", rule.experts[0], layersText(rule));
  return fmt::format("{} experts, {}", rule.experts.size(), layersText(rule));
}

std::string logitTitle(const Rule& rule, std::string_view unit) {
  const std::string cells = cellsText(rule);
  const double value = rule.operand.value;
  switch (rule.operation) {
    case Operation::Ban: return "Ban " + cells;
    case Operation::PinHigh: return "Pin " + cells;
    case Operation::PinLow: return "Push down " + cells;
    case Operation::Add:
      return fmt::format("{} {}, {} {}", value < 0 ? "Dampen" : "Boost", cells, signedNumber(value), unit);
    case Operation::Scale: return fmt::format("Multiply the {} of {} by {:.2f}", unit, cells, value);
    case Operation::Std:
      return fmt::format("{} {}, {} standard deviations", value < 0 ? "Dampen" : "Boost", cells,
                         signedNumber(value));
    case Operation::Noise: return fmt::format("Noise on {}, sigma {:.2f} {}", cells, value, unit);
    default: break;
  }
  if (!rule.operand.orderedIds.empty())
    return fmt::format("Choose {} given experts, {}", rule.operand.orderedIds.size(), layersText(rule));
  return fmt::format("Set the {} of {} to {:.2f}", unit, cells, value);
}

std::string countTitle(const Rule& rule) {
  const auto& operand = rule.operand;
  const std::string layers = layersText(rule);
  switch (rule.operation) {
    case Operation::Fixed: return fmt::format("Top-k {}, {}", operand.count, layers);
    case Operation::TopP: return fmt::format("Top-p {:.2f} of the experts, {}", operand.value, layers);
    case Operation::Ratio:
      return fmt::format("Experts above {:.2f} {} the best, {}", operand.value, kTimes, layers);
    case Operation::Threshold: return fmt::format("Experts above their thresholds, {}", layers);
    case Operation::Entropy:
      return fmt::format("Top-k {} or {} by entropy, {}", operand.lowCount, operand.highCount, layers);
    default: return fmt::format("{} null experts, {}", operand.count, layers);
  }
}

std::string weightTitle(const Rule& rule) {
  const std::string layers = layersText(rule);
  switch (rule.operation) {
    case Operation::Uniform: return "Uniform weights, " + layers;
    case Operation::Softmax:
      return fmt::format("Softmax weights at T {:.2f}, {}", rule.operand.value, layers);
    case Operation::Multiply:
      return fmt::format("Scale {}, {} {:.2f}", cellsText(rule), kTimes, rule.operand.value);
    case Operation::SetWeights: return "Given weights, " + layers;
    default: return "Renormalise weights, " + layers;
  }
}

}  // namespace

std::string ruleTitle(const Rule& rule) {
  if (!rule.name.empty()) return rule.name;
  switch (rule.primitive) {
    case Primitive::Logit: return logitTitle(rule, "logit");
    case Primitive::Key: return logitTitle(rule, "key");
    case Primitive::Count: return countTitle(rule);
    case Primitive::Weight: return weightTitle(rule);
  }
  return {};
}

}  // namespace moescope::steering
