#include "core/chat/tests.h"

#include <algorithm>

#include "core/chat/access.h"
#include "core/chat/characters.h"

namespace moescope::chat {

namespace {

using Test = bool (*)(const Value& value, const Arguments& arguments, Budget& budget);

bool isInteger(const Value& value) { return value.is<std::int64_t>(); }
bool isMapping(const Value& value) { return value.dict() != nullptr && !value.dict()->isNamespace; }
bool hasLength(const Value& value) {
  return value.isText() || value.sequence() != nullptr || isMapping(value);
}

template <bool (*property)(const Value&)>
bool simple(const Value& value, const Arguments&, Budget&) {
  return property(value);
}

template <bool wanted>
bool isBool(const Value& value, const Arguments&, Budget&) {
  return value.is<bool>() && value.as<bool>() == wanted;
}

template <int low, int high>
bool ordered(const Value& value, const Arguments& arguments, Budget& budget) {
  const int order = compare(value, arguments.need(0, "other"), budget);
  const int sign = order < 0 ? -1 : order > 0 ? 1 : 0;
  return sign >= low && sign <= high;
}

bool isEqual(const Value& value, const Arguments& arguments, Budget& budget) {
  return equal(value, arguments.need(0, "other"), budget);
}

bool isSame(const Value& value, const Arguments& arguments, Budget& budget) {
  const Value& other = arguments.need(0, "other");
  return std::string_view(value.typeName()) == other.typeName() && equal(value, other, budget);
}

bool divisible(const Value& value, const Arguments& arguments, Budget&) {
  const std::int64_t divisor = arguments.need(0, "num").integer();
  if (divisor == 0) failed("a division by zero");
  return divisor == -1 || value.integer() % divisor == 0;
}

struct Row {
  std::string_view name;
  Test test;
};

constexpr Row kRows[] = {
    {"defined", simple<[](const Value& v) { return !v.isUndefined(); }>},
    {"undefined", simple<[](const Value& v) { return v.isUndefined(); }>},
    {"none", simple<[](const Value& v) { return v.isNone(); }>},
    {"string", simple<[](const Value& v) { return v.isText(); }>},
    {"mapping", simple<isMapping>},
    {"sequence", simple<hasLength>},
    {"iterable", simple<[](const Value& v) { return hasLength(v) || v.isUndefined(); }>},
    {"number", simple<[](const Value& v) { return v.isNumber(); }>},
    {"integer", simple<isInteger>},
    {"float", simple<[](const Value& v) { return v.is<double>(); }>},
    {"boolean", simple<[](const Value& v) { return v.is<bool>(); }>},
    {"true", isBool<true>},
    {"false", isBool<false>},
    {"callable", simple<[](const Value& v) { return v.is<std::shared_ptr<const Callable>>(); }>},
    {"odd", simple<[](const Value& v) { return v.integer() % 2 != 0; }>},
    {"even", simple<[](const Value& v) { return v.integer() % 2 == 0; }>},
    {"divisibleby", divisible},
    {"equalto", isEqual},
    {"eq", isEqual},
    {"==", isEqual},
    {"ne", [](const Value& v, const Arguments& a, Budget& b) { return !isEqual(v, a, b); }},
    {"lt", ordered<-1, -1>},
    {"lessthan", ordered<-1, -1>},
    {"le", ordered<-1, 0>},
    {"gt", ordered<1, 1>},
    {"greaterthan", ordered<1, 1>},
    {"ge", ordered<0, 1>},
    {"in", [](const Value& v, const Arguments& a, Budget& b) { return contains(a.need(0, "seq"), v, b); }},
    {"sameas", isSame},
    {"lower", simple<[](const Value& v) { return v.isText() && lower(*v.text()) == *v.text(); }>},
    {"upper", simple<[](const Value& v) { return v.isText() && upper(*v.text()) == *v.text(); }>},
};

}  // namespace

bool passes(const std::string& name, const Value& value, const Arguments& arguments, Budget& budget) {
  const auto found =
      std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& row) { return row.name == name; });
  if (found == std::end(kRows)) failed("the test '" + name + "' is not supported");
  return found->test(value, arguments, budget);
}

}  // namespace moescope::chat
