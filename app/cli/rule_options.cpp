#include "app/cli/rule_options.h"

#include <charconv>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <string_view>

#include "core/steering/operation_words.h"

namespace moescope::cli {

namespace {

using steering::Rule;
using steering::SteeringProgram;
using Indices = std::vector<std::int32_t>;  // empty: all of them

constexpr std::int64_t kMaxIndex = 65'535;
constexpr const char* kCellAdvice = "write for example 3:17, 0-2:4,5 or '*:17'";

/// The whole text as a number; a leading plus is allowed.
template <class Number>
std::optional<Number> numberFrom(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == text.npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<Indices> indicesFrom(std::string_view text) {
  if (text == "*") return Indices();
  std::set<std::int32_t> all;
  for (const auto part : split(text, ',')) {
    const auto ends = split(part, '-');
    const auto first = numberFrom<std::int64_t>(ends.front());
    const auto last = numberFrom<std::int64_t>(ends.back());
    const bool good =
        ends.size() <= 2 && first && last && *first >= 0 && *first <= *last && *last <= kMaxIndex;
    if (!good) return std::nullopt;
    for (auto index = *first; index <= *last; ++index) all.insert(static_cast<std::int32_t>(index));
  }
  return Indices(all.begin(), all.end());
}

std::optional<steering::PositionScope> positionsFrom(std::string_view text) {
  steering::PositionScope scope;
  if (text == "all") return scope;
  const auto parts = split(text, ':');
  if (parts.size() > 3) return std::nullopt;
  const auto at = [&parts](std::size_t i, std::int64_t missing) -> std::optional<std::int64_t> {
    if (i >= parts.size() || parts[i].empty()) return missing;
    const auto value = numberFrom<std::int64_t>(parts[i]);
    return value && *value >= 0 && *value <= std::numeric_limits<std::int32_t>::max() ? value : std::nullopt;
  };
  const auto from = at(0, 0);
  const auto to = at(1, -1);
  const auto every = at(2, 1);
  if (!from || !to || !every || *every < 1 || parts == std::vector<std::string_view>{""}) return std::nullopt;
  scope.from = *from;
  scope.every = *every;
  if (*to >= 0) scope.to = *to;
  if (parts.size() == 1) scope.to = *from + 1;
  return scope;
}

class ProgramBuilder {
 public:
  explicit ProgramBuilder(const RuleOptions& options) : m_options(options) {}

  Result<SteeringProgram> build() {
    m_program.name = m_options.name;
    m_phase = steering::phaseFrom(m_options.phase).value_or(steering::PhaseScope::Both);
    if (const auto positions = positionsFrom(m_options.positions)) {
      m_positions = *positions;
    } else {
      stop("--positions", m_options.positions, "the scope of tokens is not understood",
           "write all, 12, 60:, 0:32 or 0:100:2");
    }
    cellRules("--ban", m_options.ban, false,
              [this](double) { return onPort(steering::banRule(m_program, {})); });
    cellRules("--pin", m_options.pin, false,
              [this](double) { return onPort(steering::pinRule(m_program, {})); });
    cellRules("--add", m_options.add, true,
              [this](double value) { return onPort(steering::addLogitRule(m_program, {}, value)); });
    cellRules("--scale", m_options.scale, true, [this](double value) { return scaleRule(value); });
    for (const auto& text : m_options.topK) topKRule(text);
    for (const auto& text : m_options.uniform) uniformRule(text);
    if (m_error) return fail(*m_error);
    return std::move(m_program);
  }

 private:
  void stop(const char* option, const std::string& text, const char* message, const char* advice) {
    if (!m_error) m_error = Error{"usage.steer", "", std::string(option) + " " + text, message, advice};
  }

  Rule onPort(Rule rule) const {
    if (m_options.port == "logit") rule.primitive = steering::Primitive::Logit;
    if (m_options.port == "key") rule.primitive = steering::Primitive::Key;
    return rule;
  }

  /// Scales the gate weight, or with a port what the router computes there.
  Rule scaleRule(double value) const {
    Rule rule = onPort(steering::scaleRule(m_program, {}, value));
    if (rule.primitive != steering::Primitive::Weight) rule.operation = steering::Operation::Scale;
    return rule;
  }

  void keep(Rule rule) {
    rule.phase = m_phase;
    rule.positions = m_positions;
    if (m_options.router != "all") rule.router = m_options.router;
    m_program.rules.push_back(std::move(rule));
  }

  /// LAYERS:EXPERTS, with =VALUE where a value is wanted.
  void cellRules(const char* option, const std::vector<std::string>& texts, bool wantsValue,
                 const std::function<Rule(double)>& make) {
    for (const std::string& text : texts) {
      const auto sides = split(text, '=');
      const auto parts = split(sides.front(), ':');
      const auto layers = indicesFrom(parts.front());
      const auto experts = indicesFrom(parts.back());
      const auto value = wantsValue && sides.size() == 2 ? numberFrom<double>(sides[1]) : std::nullopt;
      const bool good =
          parts.size() == 2 && layers && experts && (wantsValue ? value.has_value() : sides.size() == 1);
      if (!good) {
        return stop(option, text,
                    wantsValue ? "the rule is not LAYERS:EXPERTS=VALUE" : "the rule is not LAYERS:EXPERTS",
                    wantsValue ? "write for example 3:17=+1.5 or '*:17=0.5'" : kCellAdvice);
      }
      Rule rule = make(value.value_or(0.0));
      rule.layers = *layers;
      rule.experts = *experts;
      keep(std::move(rule));
    }
  }

  void topKRule(const std::string& text) {
    const auto sides = split(text, '=');
    const auto layers = sides.size() == 2 ? indicesFrom(sides.front()) : std::optional(Indices());
    const auto count = numberFrom<int>(sides.back());
    if (sides.size() > 2 || !layers || !count || *count < 1) {
      return stop("--top-k", text, "the rule is neither N nor LAYERS=N", "write for example 2 or 0-3=2");
    }
    keep(steering::topKRule(m_program, *layers, *count));
  }

  void uniformRule(const std::string& text) {
    const auto layers = indicesFrom(text == "true" ? "*" : text);
    if (!layers)
      return stop("--uniform", text, "the layers are not understood",
                  "write for example --uniform or --uniform=0-3");
    keep(steering::uniformRule(m_program, *layers));
  }

  const RuleOptions& m_options;
  SteeringProgram m_program;
  steering::PhaseScope m_phase = steering::PhaseScope::Both;
  steering::PositionScope m_positions;
  std::optional<Error> m_error;
};

}  // namespace

Result<SteeringProgram> programFrom(const RuleOptions& options) { return ProgramBuilder(options).build(); }

}  // namespace moescope::cli
