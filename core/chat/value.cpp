#include "core/chat/value.h"

#include <algorithm>
#include <limits>

#include "core/chat/characters.h"

namespace moescope::chat {

namespace {

constexpr int kMaxDepth = 100;

int deeper(int depth) {
  if (depth >= kMaxDepth) throw Fault("chat.limit", "the template nests lists too deeply");
  return depth + 1;
}

}  // namespace

Value Value::undefined(std::string what) {
  return Value(Storage(Undefined{std::make_shared<const std::string>(std::move(what))}));
}

Value Value::list(std::vector<Value> items, bool tuple) {
  int depth = 0;
  for (const Value& item : items) depth = std::max(depth, item.depth());
  return std::make_shared<const Sequence>(Sequence{std::move(items), tuple, deeper(depth)});
}

Value Value::dict(std::vector<std::pair<Value, Value>> entries) {
  int depth = 0;
  for (const auto& entry : entries) depth = std::max({depth, entry.first.depth(), entry.second.depth()});
  return std::make_shared<Dict>(Dict{std::move(entries), false, deeper(depth)});
}

Value Value::fromJson(const nlohmann::ordered_json& json) {
  using Type = nlohmann::ordered_json::value_t;
  switch (json.type()) {
    case Type::boolean: return json.get<bool>();
    case Type::number_integer: return json.get<std::int64_t>();
    case Type::number_unsigned: {
      const auto number = json.get<std::uint64_t>();
      constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
      return number <= kLargest ? Value(static_cast<std::int64_t>(number)) : Value(json.get<double>());
    }
    case Type::number_float: return json.get<double>();
    case Type::string: return json.get<std::string>();
    case Type::array: {
      std::vector<Value> items;
      for (const auto& item : json) items.push_back(fromJson(item));
      return list(std::move(items));
    }
    case Type::object: {
      std::vector<std::pair<Value, Value>> entries;
      for (const auto& [key, item] : json.items()) entries.emplace_back(key, fromJson(item));
      return dict(std::move(entries));
    }
    default: return {};
  }
}

const std::string* Value::text() const { return isText() ? as<Text>().get() : nullptr; }

const Sequence* Value::sequence() const {
  const auto* found = std::get_if<std::shared_ptr<const Sequence>>(&m_storage);
  return found == nullptr ? nullptr : found->get();
}

Dict* Value::dict() const {
  const auto* found = std::get_if<std::shared_ptr<Dict>>(&m_storage);
  return found == nullptr ? nullptr : found->get();
}

double Value::number() const {
  if (is<bool>()) return as<bool>() ? 1 : 0;
  return is<double>() ? as<double>() : static_cast<double>(as<std::int64_t>());
}

std::int64_t Value::integer() const {
  if (is<bool>()) return as<bool>() ? 1 : 0;
  if (!is<std::int64_t>()) failed(std::string("a whole number is needed, not ") + typeName());
  return as<std::int64_t>();
}

bool Value::truth() const {
  if (isUndefined() || isNone()) return false;
  if (isNumber()) return number() != 0;
  if (const std::string* found = text()) return !found->empty();
  if (const Sequence* found = sequence()) return !found->items.empty();
  if (const Dict* found = dict()) return found->isNamespace || !found->entries.empty();
  return true;
}

const char* Value::typeName() const {
  static constexpr const char* kNames[] = {
      "an undefined value", "None", "a bool", "an int", "a float", "a str", "a list", "a dict", "a loop",
      "a function"};
  return kNames[m_storage.index()];
}

int Value::depth() const {
  if (const Sequence* found = sequence()) return found->depth;
  const Dict* found = dict();
  return found != nullptr && !found->isNamespace ? found->depth : 0;
}

const Value* Dict::find(const Value& key, Budget& budget) const {
  budget.step(1 + entries.size() / 16);
  for (const auto& entry : entries) {
    if (equal(entry.first, key, budget)) return &entry.second;
  }
  return nullptr;
}

const Value* Dict::find(std::string_view key, Budget& budget) const {
  budget.step(1 + entries.size() / 16);
  for (const auto& entry : entries) {
    const std::string* text = entry.first.text();
    if (text != nullptr && *text == key) return &entry.second;
  }
  return nullptr;
}

void Dict::set(std::string_view key, Value value, Budget& budget) {
  budget.step(1 + entries.size() / 16);
  for (auto& entry : entries) {
    if (*entry.first.text() != key) continue;
    entry.second = std::move(value);
    return;
  }
  entries.emplace_back(std::string(key), std::move(value));
}

const Value* Arguments::find(std::size_t index, std::string_view name) const {
  if (index < positional.size()) return &positional[index];
  const auto found =
      std::find_if(named.begin(), named.end(), [&](const auto& argument) { return argument.first == name; });
  return found == named.end() ? nullptr : &found->second;
}

const Value& Arguments::need(std::size_t index, std::string_view name) const {
  const Value* found = find(index, name);
  if (found == nullptr) failed("the argument '" + std::string(name) + "' is missing");
  return *found;
}

bool equal(const Value& a, const Value& b, Budget& budget) {
  budget.step();
  if (a.isNumber() && b.isNumber()) {
    const bool exact = !a.is<double>() && !b.is<double>();
    return exact ? a.integer() == b.integer() : a.number() == b.number();
  }
  if (a.isText() && b.isText()) return *a.text() == *b.text();
  if (const Sequence* left = a.sequence(), *right = b.sequence(); left != nullptr && right != nullptr) {
    if (left == right) return true;
    return left->tuple == right->tuple &&
           std::equal(left->items.begin(), left->items.end(), right->items.begin(), right->items.end(),
                      [&](const Value& x, const Value& y) { return equal(x, y, budget); });
  }
  if (const Dict* left = a.dict(), *right = b.dict(); left != nullptr && right != nullptr) {
    if (left == right) return true;
    if (left->isNamespace || right->isNamespace || left->entries.size() != right->entries.size())
      return false;
    return std::all_of(left->entries.begin(), left->entries.end(), [&](const auto& entry) {
      const Value* other = right->find(entry.first, budget);
      return other != nullptr && equal(entry.second, *other, budget);
    });
  }
  return (a.isNone() && b.isNone()) || (a.isUndefined() && b.isUndefined());
}

int compare(const Value& a, const Value& b, Budget& budget) {
  budget.step();
  if (a.isNumber() && b.isNumber()) {
    const bool exact = !a.is<double>() && !b.is<double>();
    if (exact) return a.integer() < b.integer() ? -1 : a.integer() > b.integer() ? 1 : 0;
    return a.number() < b.number() ? -1 : a.number() > b.number() ? 1 : 0;
  }
  if (a.isText() && b.isText()) return a.text()->compare(*b.text());  // UTF-8 keeps the order
  const Sequence* left = a.sequence();
  const Sequence* right = b.sequence();
  if (left == nullptr || right == nullptr) {
    failed(std::string("there is no order between ") + a.typeName() + " and " + b.typeName());
  }
  for (std::size_t i = 0; i < std::min(left->items.size(), right->items.size()); ++i) {
    if (equal(left->items[i], right->items[i], budget)) continue;
    return compare(left->items[i], right->items[i], budget);
  }
  return left->items.size() < right->items.size() ? -1 : left->items.size() > right->items.size() ? 1 : 0;
}

std::shared_ptr<const Sequence> iterate(const Value& value, Budget& budget) {
  if (value.sequence() != nullptr) return value.as<std::shared_ptr<const Sequence>>();
  Sequence items;
  if (const std::string* text = value.text()) {
    budget.made(sizeof(Value) * text->size());
    for (const auto character : characters(*text)) items.items.emplace_back(std::string(character));
  } else if (const Dict* dict = value.dict(); dict != nullptr && !dict->isNamespace) {
    budget.made(sizeof(Value) * dict->entries.size());
    for (const auto& entry : dict->entries) items.items.push_back(entry.first);
  } else if (!value.isUndefined()) {
    failed(std::string("a for statement cannot go through ") + value.typeName());
  }
  return std::make_shared<const Sequence>(std::move(items));
}

}  // namespace moescope::chat
