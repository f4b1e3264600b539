#include "core/chat/list_filters.h"

#include <algorithm>

#include "core/chat/access.h"
#include "core/chat/characters.h"
#include "core/chat/filters.h"
#include "core/chat/methods.h"
#include "core/chat/operators.h"
#include "core/chat/python_text.h"
#include "core/chat/tests.h"
#include "core/chat/text_methods.h"

namespace moescope::chat {

namespace {

/// `item.a.b` for the path "a.b"; numbers in it are indices. What is not there is `instead`, if it is given.
Value atPath(const Value& item, const Value& path, Budget& budget, const Value* instead = nullptr) {
  if (!path.isText()) return itemOf(item, path, budget);
  Value value = item;
  std::string_view rest = *path.text();
  while (true) {
    const auto dot = rest.find('.');
    const std::string part(rest.substr(0, dot));
    const bool number =
        !part.empty() && part.size() < 10 && part.find_first_not_of("0123456789") == std::string::npos;
    value = itemOf(value, number ? Value(static_cast<std::int64_t>(std::stol(part))) : Value(part), budget);
    if (value.isUndefined() && instead != nullptr) value = *instead;
    if (dot == std::string_view::npos) return value;
    rest.remove_prefix(dot + 1);
  }
}

Arguments behind(const Arguments& arguments, std::size_t count) {
  Arguments rest = arguments;
  const std::size_t gone = std::min(count, rest.positional.size());
  rest.positional.erase(rest.positional.begin(), rest.positional.begin() + static_cast<std::ptrdiff_t>(gone));
  return rest;
}

/// The item, or what stands at the argument `attribute` of it, in lower case unless case counts.
Value sortKey(const Value& item, const Value* attribute, bool caseCounts, Budget& budget) {
  Value key = attribute == nullptr || attribute->isNone() ? item : atPath(item, *attribute, budget);
  if (caseCounts || !key.isText()) return key;
  budget.made(key.text()->size());
  return lower(*key.text());
}

bool given(const Value* flag) { return flag != nullptr && flag->truth(); }

Value join(const Value& value, const Arguments& arguments, Budget& budget) {
  const Value* separator = arguments.find(0, "d");
  const Value* attribute = arguments.find(1, "attribute");
  Sequence texts;
  const auto items = iterate(value, budget);
  for (const Value& item : items->items) {
    const Value part = attribute == nullptr ? item : atPath(item, *attribute, budget);
    texts.items.emplace_back(pythonText(part, budget));
  }
  return joinedTexts(texts, separator == nullptr ? std::string() : pythonText(*separator, budget), budget);
}

template <bool fromEnd>
Value end(const Value& value, const Arguments&, Budget& budget) {
  const auto items = iterate(value, budget);
  if (items->items.empty()) return Value::undefined("the list is empty");
  return fromEnd ? items->items.back() : items->items.front();
}

Value list(const Value& value, const Arguments&, Budget& budget) {
  const auto items = iterate(value, budget);
  budget.made(sizeof(Value) * items->items.size());
  return Value::list(items->items);
}

Value entries(const Value& value, const Arguments&, Budget& budget) {
  std::vector<Value> result;
  const Dict* dict = value.dict();
  if (dict == nullptr && !value.isUndefined())
    failed(std::string("there are no items of ") + value.typeName());
  if (dict == nullptr) return Value::list({});
  budget.made(2 * sizeof(Value) * dict->entries.size());
  for (const auto& [key, item] : dict->entries) result.push_back(Value::list({key, item}, true));
  return Value::list(std::move(result));
}

Value map(const Value& value, const Arguments& arguments, Budget& budget) {
  const Value* attribute = arguments.find(arguments.positional.size(), "attribute");
  const Value* instead = arguments.find(arguments.positional.size(), "default");
  const Arguments rest = attribute == nullptr ? behind(arguments, 1) : Arguments{};
  const std::string name = attribute == nullptr ? textOf(arguments.need(0, "filter")) : std::string();
  std::vector<Value> result;
  const auto items = iterate(value, budget);
  for (const Value& item : items->items) {
    budget.made(sizeof(Value));
    result.push_back(attribute == nullptr ? filtered(name, item, rest, budget)
                                          : atPath(item, *attribute, budget, instead));
  }
  return Value::list(std::move(result));
}

/// select, reject, selectattr and rejectattr.
template <bool byAttribute, bool wanted>
Value select(const Value& value, const Arguments& arguments, Budget& budget) {
  constexpr std::size_t kFirst = byAttribute ? 1 : 0;
  const Value* test = arguments.find(kFirst, "test");
  const Arguments rest = behind(arguments, kFirst + 1);
  std::vector<Value> result;
  const auto items = iterate(value, budget);
  for (const Value& item : items->items) {
    const Value tested = byAttribute ? atPath(item, arguments.need(0, "attribute"), budget) : item;
    const bool passed = test == nullptr ? tested.truth() : passes(textOf(*test), tested, rest, budget);
    if (passed == wanted) result.push_back(item);
  }
  budget.made(sizeof(Value) * result.size());
  return Value::list(std::move(result));
}

Value sorted(std::vector<std::pair<Value, Value>> keyed, bool reverse, Budget& budget) {
  // Equal ones keep their order, backwards too.
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    const int order = compare(a.first, b.first, budget);
    return reverse ? order > 0 : order < 0;
  });
  std::vector<Value> result;
  budget.made(sizeof(Value) * keyed.size());
  result.reserve(keyed.size());
  for (auto& entry : keyed) result.push_back(std::move(entry.second));
  return Value::list(std::move(result));
}

Value sort(const Value& value, const Arguments& arguments, Budget& budget) {
  const bool caseCounts = given(arguments.find(1, "case_sensitive"));
  const Value* attribute = arguments.find(2, "attribute");
  std::vector<std::pair<Value, Value>> keyed;
  const auto items = iterate(value, budget);
  for (const Value& item : items->items) {
    keyed.emplace_back(sortKey(item, attribute, caseCounts, budget), item);
  }
  return sorted(std::move(keyed), given(arguments.find(0, "reverse")), budget);
}

Value dictsort(const Value& value, const Arguments& arguments, Budget& budget) {
  const Dict* dict = value.dict();
  if (dict == nullptr || dict->isNamespace)
    failed(std::string("dictsort needs a dict, not ") + value.typeName());
  const Value* by = arguments.find(1, "by");
  const bool byValue = by != nullptr && textOf(*by) == "value";
  const bool caseCounts = given(arguments.find(0, "case_sensitive"));
  std::vector<std::pair<Value, Value>> keyed;
  for (const auto& [key, item] : dict->entries) {
    keyed.emplace_back(sortKey(byValue ? item : key, nullptr, caseCounts, budget),
                       Value::list({key, item}, true));
  }
  return sorted(std::move(keyed), given(arguments.find(2, "reverse")), budget);
}

Value unique(const Value& value, const Arguments& arguments, Budget& budget) {
  const bool caseCounts = given(arguments.find(0, "case_sensitive"));
  const Value* attribute = arguments.find(1, "attribute");
  std::vector<Value> seen;
  std::vector<Value> result;
  const auto items = iterate(value, budget);
  for (const Value& item : items->items) {
    const Value key = sortKey(item, attribute, caseCounts, budget);
    const auto same = [&](const Value& other) { return equal(key, other, budget); };
    if (std::any_of(seen.begin(), seen.end(), same)) continue;
    budget.made(sizeof(Value));
    seen.push_back(key);
    result.push_back(item);
  }
  return Value::list(std::move(result));
}

Value reverse(const Value& value, const Arguments&, Budget& budget) {
  if (value.isText()) return sliceOf(value, {}, {}, std::int64_t{-1}, budget);
  std::vector<Value> items = iterate(value, budget)->items;
  budget.made(sizeof(Value) * items.size());
  std::reverse(items.begin(), items.end());
  return Value::list(std::move(items));
}

Value sum(const Value& value, const Arguments& arguments, Budget& budget) {
  const Value* attribute = arguments.find(0, "attribute");
  const Value* start = arguments.find(1, "start");
  Value total = start == nullptr ? Value(std::int64_t{0}) : *start;
  const auto items = iterate(value, budget);
  for (const Value& item : items->items) {
    const bool whole = attribute == nullptr || attribute->isNone();
    total = binary("+", total, whole ? item : atPath(item, *attribute, budget), budget);
  }
  return total;
}

/// The smallest (sign -1) or largest (1) item.
template <int sign>
Value extreme(const Value& value, const Arguments& arguments, Budget& budget) {
  const bool caseCounts = given(arguments.find(0, "case_sensitive"));
  const Value* attribute = arguments.find(1, "attribute");
  const auto items = iterate(value, budget);
  if (items->items.empty()) return Value::undefined("the list is empty");
  Value best = items->items.front();
  Value bestKey = sortKey(best, attribute, caseCounts, budget);
  for (const Value& item : items->items) {
    Value key = sortKey(item, attribute, caseCounts, budget);
    if (sign * compare(key, bestKey, budget) <= 0) continue;
    best = item;
    bestKey = std::move(key);
  }
  return best;
}

Value attr(const Value& value, const Arguments& arguments, Budget& budget) {
  const std::string& name = textOf(arguments.need(0, "name"));
  const bool entry = value.dict() != nullptr && !value.dict()->isNamespace && !hasMethod(value, name);
  return entry ? Value::undefined("a dict has no attribute '" + name + "'")
               : attributeOf(value, name, budget);
}

constexpr FilterRow kRows[] = {{"join", join},
                               {"first", end<false>},
                               {"last", end<true>},
                               {"list", list},
                               {"items", entries},
                               {"map", map},
                               {"select", select<false, true>},
                               {"reject", select<false, false>},
                               {"selectattr", select<true, true>},
                               {"rejectattr", select<true, false>},
                               {"sort", sort},
                               {"dictsort", dictsort},
                               {"unique", unique},
                               {"reverse", reverse},
                               {"sum", sum},
                               {"min", extreme<-1>},
                               {"max", extreme<1>},
                               {"attr", attr}};

}  // namespace

Filter findListFilter(std::string_view name) {
  const auto found = std::find_if(std::begin(kRows), std::end(kRows),
                                  [&](const FilterRow& row) { return row.name == name; });
  return found == std::end(kRows) ? nullptr : found->filter;
}

}  // namespace moescope::chat
