#include "core/chat/methods.h"

#include <algorithm>
#include <limits>

#include "core/chat/access.h"
#include "core/chat/characters.h"
#include "core/chat/text_methods.h"

namespace moescope::chat {

namespace {

using Method = Value (*)(const Value& self, const Arguments& arguments, Budget& budget);

struct Row {
  std::string_view name;
  Method method;
};

Value changes(const Value& self, const Arguments&, Budget&) {
  failed(std::string("a template may not change ") + self.typeName());
}

template <bool keys, bool values>
Value entries(const Value& self, const Arguments&, Budget& budget) {
  const Dict& dict = *self.dict();
  budget.made(2 * sizeof(Value) * dict.entries.size());
  std::vector<Value> items;
  for (const auto& [key, value] : dict.entries) {
    if constexpr (keys && values) {
      items.push_back(Value::list({key, value}, true));
    } else {
      items.push_back(keys ? key : value);
    }
  }
  return Value::list(std::move(items));
}

Value get(const Value& self, const Arguments& arguments, Budget& budget) {
  const Value* found = self.dict()->find(arguments.need(0, "key"), budget);
  if (found != nullptr) return *found;
  const Value* fallback = arguments.find(1, "default");
  return fallback == nullptr ? Value() : *fallback;
}

Value indexIn(const Value& self, const Arguments& arguments, Budget& budget) {
  const auto& items = self.sequence()->items;
  const Value& item = arguments.need(0, "value");
  const auto found = std::find_if(items.begin(), items.end(),
                                  [&](const Value& other) { return equal(other, item, budget); });
  if (found == items.end()) failed("the list does not hold this value");
  return static_cast<std::int64_t>(found - items.begin());
}

Value countIn(const Value& self, const Arguments& arguments, Budget& budget) {
  const auto& items = self.sequence()->items;
  const Value& item = arguments.need(0, "value");
  return static_cast<std::int64_t>(std::count_if(
      items.begin(), items.end(), [&](const Value& other) { return equal(other, item, budget); }));
}

constexpr Row kDictMethods[] = {{"items", entries<true, true>},
                                {"keys", entries<true, false>},
                                {"values", entries<false, true>},
                                {"get", get},
                                {"clear", changes},
                                {"pop", changes},
                                {"popitem", changes},
                                {"setdefault", changes},
                                {"update", changes}};
constexpr Row kListMethods[] = {
    {"index", indexIn},  {"count", countIn}, {"append", changes}, {"clear", changes},   {"extend", changes},
    {"insert", changes}, {"pop", changes},   {"remove", changes}, {"reverse", changes}, {"sort", changes}};

template <std::size_t count>
Method findIn(const Row (&rows)[count], std::string_view name) {
  const auto found =
      std::find_if(std::begin(rows), std::end(rows), [&](const Row& row) { return row.name == name; });
  return found == std::end(rows) ? nullptr : found->method;
}

Method find(const Value& self, std::string_view name) {
  if (self.isText()) return findTextMethod(name);
  if (self.sequence() != nullptr) return findIn(kListMethods, name);
  const Dict* dict = self.dict();
  return dict != nullptr && !dict->isNamespace ? findIn(kDictMethods, name) : nullptr;
}

}  // namespace

bool hasMethod(const Value& self, std::string_view name) { return find(self, name) != nullptr; }

Value callMethod(const Value& self, std::string_view name, const Arguments& arguments, Budget& budget) {
  budget.step(self.isText() ? 1 + self.text()->size() / 16 : 1);
  return find(self, name)(self, arguments, budget);
}

}  // namespace moescope::chat
