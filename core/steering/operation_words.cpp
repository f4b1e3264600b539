#include "core/steering/operation_words.h"

#include <array>

namespace moescope::steering {

namespace {

struct OperationWord {
  Operation operation;
  std::string_view word;
  bool logitOrKey, count, weight;
};

constexpr std::array kOperations{
    OperationWord{Operation::Set, "set", true, false, false},
    OperationWord{Operation::Scale, "scale", true, false, false},
    OperationWord{Operation::Add, "add", true, false, false},
    OperationWord{Operation::Std, "std", true, false, false},
    OperationWord{Operation::Noise, "noise", true, false, false},
    OperationWord{Operation::PinHigh, "pin+", true, false, false},
    OperationWord{Operation::PinLow, "pin-", true, false, false},
    OperationWord{Operation::Ban, "ban", true, false, false},
    OperationWord{Operation::Fixed, "fixed", false, true, false},
    OperationWord{Operation::TopP, "top_p", false, true, false},
    OperationWord{Operation::Ratio, "ratio", false, true, false},
    OperationWord{Operation::Threshold, "threshold", false, true, false},
    OperationWord{Operation::Entropy, "entropy", false, true, false},
    OperationWord{Operation::Null, "null", false, true, false},
    OperationWord{Operation::Uniform, "uniform", false, false, true},
    OperationWord{Operation::Softmax, "softmax", false, false, true},
    OperationWord{Operation::Multiply, "mul", false, false, true},
    OperationWord{Operation::SetWeights, "set", false, false, true},
    OperationWord{Operation::Renormalise, "renorm", false, false, true},
};

constexpr std::array kPrimitives{Primitive::Logit, Primitive::Key, Primitive::Count, Primitive::Weight};
constexpr std::array kRenormalisations{Renormalisation::Native, Renormalisation::None,
                                       Renormalisation::SumOne, Renormalisation::KeepMass};
constexpr std::array kPhases{PhaseScope::Both, PhaseScope::Prefill, PhaseScope::Decode};

template <class Values>
auto find(const Values& values, std::string_view text) -> std::optional<typename Values::value_type> {
  for (const auto value : values) {
    if (word(value) == text) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view word(Primitive primitive) {
  switch (primitive) {
    case Primitive::Logit: return "LOGIT";
    case Primitive::Key: return "KEY";
    case Primitive::Count: return "COUNT";
    case Primitive::Weight: return "WEIGHT";
  }
  return "";
}

std::string_view word(Operation operation) {
  for (const auto& entry : kOperations) {
    if (entry.operation == operation) return entry.word;
  }
  return "";
}

std::string_view word(Renormalisation renormalisation) {
  switch (renormalisation) {
    case Renormalisation::Native: return "native";
    case Renormalisation::None: return "none";
    case Renormalisation::SumOne: return "sum1";
    case Renormalisation::KeepMass: return "keep_mass";
  }
  return "";
}

std::string_view word(PhaseScope phase) {
  switch (phase) {
    case PhaseScope::Both: return "both";
    case PhaseScope::Prefill: return "prefill";
    case PhaseScope::Decode: return "decode";
  }
  return "";
}

std::optional<Primitive> primitiveFrom(std::string_view text) { return find(kPrimitives, text); }
std::optional<Renormalisation> renormalisationFrom(std::string_view text) {
  return find(kRenormalisations, text);
}
std::optional<PhaseScope> phaseFrom(std::string_view text) { return find(kPhases, text); }

std::optional<Operation> operationFrom(Primitive primitive, std::string_view text) {
  for (const auto& entry : kOperations) {
    const bool fits = primitive == Primitive::Count    ? entry.count
                      : primitive == Primitive::Weight ? entry.weight
                                                       : entry.logitOrKey;
    if (fits && entry.word == text) return entry.operation;
  }
  return std::nullopt;
}

}  // namespace moescope::steering
