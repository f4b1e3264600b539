#include "core/chat/operators.h"

#include <cmath>

#include "core/chat/access.h"

namespace moescope::chat {

namespace {

[[noreturn]] void overflow() { failed("a whole number is too large"); }

std::int64_t floorDivided(std::int64_t a, std::int64_t b) {
  if (b == -1) {
    std::int64_t result = 0;
    if (__builtin_sub_overflow(std::int64_t{0}, a, &result)) overflow();
    return result;
  }
  return a / b - ((a % b != 0 && (a % b < 0) != (b < 0)) ? 1 : 0);
}

std::int64_t powered(std::int64_t base, std::int64_t exponent) {
  std::int64_t result = 1;
  for (std::int64_t i = 0; i < exponent && result != 0; ++i) {
    if (base == 1 || (base == -1 && i > 1)) return exponent % 2 == 0 ? 1 : base;
    if (__builtin_mul_overflow(result, base, &result)) overflow();
  }
  return result;
}

Value integers(std::string_view operation, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  bool bad = false;
  if (operation == "+") {
    bad = __builtin_add_overflow(a, b, &result);
  } else if (operation == "-") {
    bad = __builtin_sub_overflow(a, b, &result);
  } else if (operation == "*") {
    bad = __builtin_mul_overflow(a, b, &result);
  } else if (operation == "**") {
    if (b < 0) return std::pow(static_cast<double>(a), static_cast<double>(b));
    return powered(a, b);
  } else {
    if (b == 0) failed("a division by zero");
    if (operation == "/") return static_cast<double>(a) / static_cast<double>(b);
    if (operation == "//") return floorDivided(a, b);
    if (b == -1) return std::int64_t{0};
    result = a % b + ((a % b != 0 && (a % b < 0) != (b < 0)) ? b : 0);
  }
  if (bad) overflow();
  return result;
}

Value reals(std::string_view operation, double a, double b) {
  if (operation == "+") return a + b;
  if (operation == "-") return a - b;
  if (operation == "*") return a * b;
  if (operation == "**") return std::pow(a, b);
  if (b == 0) failed("a division by zero");
  if (operation == "/") return a / b;
  if (operation == "//") return std::floor(a / b);
  const double rest = std::fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

Value joined(const Sequence& left, const Sequence& right, Budget& budget) {
  budget.made(sizeof(Value) * (left.items.size() + right.items.size()));
  std::vector<Value> items = left.items;
  items.insert(items.end(), right.items.begin(), right.items.end());
  return Value::list(std::move(items), left.tuple);
}

Value repeated(const Value& value, std::int64_t times, Budget& budget) {
  const auto count = static_cast<std::size_t>(std::max<std::int64_t>(times, 0));
  const std::size_t size =
      value.isText() ? value.text()->size() : sizeof(Value) * value.sequence()->items.size();
  std::size_t total = 0;
  if (__builtin_mul_overflow(size, count, &total)) total = static_cast<std::size_t>(-1) / 2;
  budget.made(total);
  if (value.isText()) {
    std::string text;
    for (std::size_t i = 0; i < count && size > 0; ++i) text += *value.text();
    return text;
  }
  std::vector<Value> items;
  const auto& old = value.sequence()->items;
  for (std::size_t i = 0; i < count && size > 0; ++i) items.insert(items.end(), old.begin(), old.end());
  return Value::list(std::move(items), value.sequence()->tuple);
}

bool repeats(const Value& value, const Value& times) {
  return (value.isText() || value.sequence() != nullptr) && (times.is<std::int64_t>() || times.is<bool>());
}

}  // namespace

Value binary(std::string_view operation, const Value& left, const Value& right, Budget& budget) {
  if (left.isNumber() && right.isNumber()) {
    const bool real = left.is<double>() || right.is<double>();
    return real ? reals(operation, left.number(), right.number())
                : integers(operation, left.integer(), right.integer());
  }
  if (left.isUndefined()) failUndefined(left);
  if (right.isUndefined()) failUndefined(right);
  if (operation == "+" && left.isText() && right.isText()) {
    budget.made(left.text()->size() + right.text()->size());
    return *left.text() + *right.text();
  }
  const Sequence* a = left.sequence();
  const Sequence* b = right.sequence();
  if (operation == "+" && a != nullptr && b != nullptr && a->tuple == b->tuple) return joined(*a, *b, budget);
  if (operation == "*" && repeats(left, right)) return repeated(left, right.integer(), budget);
  if (operation == "*" && repeats(right, left)) return repeated(right, left.integer(), budget);
  failed("'" + std::string(operation) + "' does not go between " + left.typeName() + " and " +
         right.typeName());
}

Value negative(const Value& value) {
  if (value.is<double>()) return -value.as<double>();
  if (value.isUndefined()) failUndefined(value);
  if (!value.isNumber()) failed(std::string("there is no negative of ") + value.typeName());
  return integers("-", 0, value.integer());
}

}  // namespace moescope::chat
