// SteeringProgram: the user's rules on routers, as a value with a documented JSON form.
// Not for applying them; compilation turns a program into per-layer plans (steering_plan.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/indices.h"
#include "core/base/result.h"

namespace moescope::steering {

enum class Primitive : std::uint8_t {
  Logit,   ///< P1, port z: raw logits (selection and weight)
  Key,     ///< P2, port u: selection only
  Count,   ///< P3, port k: how many experts
  Weight,  ///< P4, port w: mixing weights
};

enum class Operation : std::uint8_t {
  // LOGIT and KEY
  Set,
  Scale,
  Add,
  Std,
  Noise,
  PinHigh,
  PinLow,
  Ban,
  // COUNT
  Fixed,
  TopP,
  Ratio,
  Threshold,
  Entropy,
  Null,
  // WEIGHT
  Uniform,
  Softmax,
  Multiply,
  SetWeights,
  // WEIGHT, normalisation only
  Renormalise,
};

enum class Renormalisation : std::uint8_t { Native, None, SumOne, KeepMass };

enum class PhaseScope : std::uint8_t { Both, Prefill, Decode };

/// Positions in the sequence, [from, to); `every` > 1 keeps each n-th of them counted from `from`.
struct PositionScope {
  std::int64_t from = 0;
  std::optional<std::int64_t> to;
  std::int64_t every = 1;
  bool operator==(const PositionScope&) const = default;
};

/// What an operation needs beside its scope. Which fields count is told by the operation
/// (docs/steering.md); the others keep these neutral values and are not written.
struct Operand {
  double value = 0.0;             ///< set, scale, add, std, noise sigma, top_p, ratio, softmax T, multiply
  double epsilon = 0.01;          ///< pin+, pin-
  std::uint64_t seed = 0;         ///< noise
  int count = 0;                  ///< fixed k', null m
  double nullLogit = 0.0;         ///< null nu
  double entropyOrder = 1.1;      ///< entropy q
  double entropyThreshold = 0.9;  ///< entropy h
  int lowCount = 0;               ///< entropy lo
  int highCount = 0;              ///< entropy hi
  std::optional<int> minCount, maxCount;  ///< COUNT clip
  std::vector<double> thresholds;         ///< threshold(tau_i), one an expert
  std::vector<std::int32_t> orderedIds;   ///< KEY.set: S in order
  std::vector<double> weights;            ///< WEIGHT.set: final weights in the order of the choice
  Renormalisation renormalisation = Renormalisation::Native;  ///< WEIGHT
  bool ignoreGroups = false;                                  ///< KEY on group-limited models
  bool operator==(const Operand&) const = default;
};

struct Rule {
  std::int64_t id = 0;  ///< unique inside a program
  bool enabled = true;
  std::int64_t priority = 0;  ///< default: the id
  Primitive primitive = Primitive::Key;
  Operation operation = Operation::Ban;
  Operand operand;
  std::vector<std::int32_t> layers;   ///< model layers; empty = all MoE layers
  std::string router;                 ///< kind of router, "ffn" or "attention"; empty = every kind
  std::vector<std::int32_t> experts;  ///< empty = all experts (COUNT and WEIGHT sources ignore it)
  std::vector<ExpertCell> except;     ///< cells taken out by Release; one without a kind is of every kind
  PhaseScope phase = PhaseScope::Both;
  PositionScope positions;
  std::string name;  ///< user's name; empty = generated ("Ban L3 E17")
  bool operator==(const Rule&) const = default;

  // A kind that is not named, here or there, is every kind: models whose routers are of one kind name none.
  [[nodiscard]] bool covers(const RouterKey& key) const;
  [[nodiscard]] bool isOf(const ExpertCell& cell) const;     ///< acts on this cell and no other
  [[nodiscard]] bool excepts(const ExpertCell& cell) const;  ///< Release has taken it out
};

struct SteeringProgram {
  std::string name;
  std::vector<Rule> rules;
  bool operator==(const SteeringProgram&) const = default;

  [[nodiscard]] std::int64_t nextId() const;
  [[nodiscard]] const Rule* find(std::int64_t id) const;
};

nlohmann::ordered_json toJson(const SteeringProgram& program);
/// Errors: `steering.not_json`, `steering.bad_format` (unknown key, wrong type, with its place),
/// `steering.newer`.
Result<SteeringProgram> parseProgram(std::string_view text, const std::string& file);

/// "Ban L3 E17", "Boost L10 E41, +1.50 logit", "Top-k 8 → 6, layers 0–1".
std::string ruleTitle(const Rule& rule);

// The verbs of the window and of `steer new`. Each returns the rule it made (id = nextId()).
Rule banRule(const SteeringProgram& program, const ExpertCell& cell);
Rule pinRule(const SteeringProgram& program, const ExpertCell& cell);
Rule addLogitRule(const SteeringProgram& program, const ExpertCell& cell, double value);
Rule scaleRule(const SteeringProgram& program, const ExpertCell& cell, double factor);
Rule topKRule(const SteeringProgram& program, std::vector<std::int32_t> layers, int k);
Rule uniformRule(const SteeringProgram& program, std::vector<std::int32_t> layers);
/// Removes single-cell rules on the cell and excludes it from rules that cover more.
SteeringProgram released(SteeringProgram program, const ExpertCell& cell);

}  // namespace moescope::steering
