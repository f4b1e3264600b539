#include "core/chat/access.h"

#include <algorithm>

#include "core/chat/characters.h"
#include "core/chat/methods.h"

namespace moescope::chat {

namespace {

Value loopAttribute(const Loop& loop, const std::string& name) {
  const auto index = static_cast<std::int64_t>(loop.index);
  const auto length = static_cast<std::int64_t>(loop.items->items.size());
  if (name == "index") return index + 1;
  if (name == "index0") return index;
  if (name == "revindex") return length - index;
  if (name == "revindex0") return length - index - 1;
  if (name == "first") return index == 0;
  if (name == "last") return index + 1 == length;
  if (name == "length") return length;
  if (name == "depth") return std::int64_t{1};  // counts recursive loops only
  if (name == "depth0") return std::int64_t{0};
  if (name == "previtem" && index > 0) return loop.items->items[loop.index - 1];
  if (name == "nextitem" && index + 1 < length) return loop.items->items[loop.index + 1];
  return Value::undefined("the variable loop has no attribute '" + name + "' here");
}

Value missing(const Value& object, const std::string& name) {
  return Value::undefined(std::string(object.typeName()) + " has no attribute '" + name + "'");
}

/// The index counted from the front; -1 if it is outside.
std::int64_t placeOf(std::int64_t index, std::size_t size) {
  const auto count = static_cast<std::int64_t>(size);
  if (index < 0) index += count;
  return index >= 0 && index < count ? index : -1;
}

Value atIndex(const Value& object, std::int64_t index) {
  if (const Sequence* sequence = object.sequence()) {
    const std::int64_t place = placeOf(index, sequence->items.size());
    return place < 0 ? Value::undefined("the list has no item " + std::to_string(index))
                     : sequence->items[static_cast<std::size_t>(place)];
  }
  const auto parts = characters(*object.text());
  const std::int64_t place = placeOf(index, parts.size());
  return place < 0 ? Value::undefined("the text has no character " + std::to_string(index))
                   : Value(std::string(parts[static_cast<std::size_t>(place)]));
}

/// Places of a slice, as Python counts them.
std::vector<std::size_t> places(const Value& first, const Value& last, std::int64_t step, std::int64_t size,
                                Budget& budget) {
  const auto bound = [&](const Value& value, std::int64_t fallback) {
    if (value.isNone()) return fallback;
    std::int64_t at = value.integer();
    if (at < 0) at = at < -size ? -1 : at + size;
    return step > 0 ? std::clamp<std::int64_t>(at, 0, size) : std::clamp<std::int64_t>(at, -1, size - 1);
  };
  const std::int64_t begin = bound(first, step > 0 ? 0 : size - 1);
  const std::int64_t end = bound(last, step > 0 ? size : -1);
  std::vector<std::size_t> result;
  const std::int64_t stride = std::clamp<std::int64_t>(step, -size - 1, size + 1);
  for (std::int64_t at = begin; step > 0 ? at < end : at > end; at += stride) {
    result.push_back(static_cast<std::size_t>(at));
  }
  budget.made(sizeof(Value) * result.size());
  return result;
}

}  // namespace

void failUndefined(const Value& value) { failed(*value.as<Undefined>().what); }

Value attributeOf(const Value& object, const std::string& name, Budget& budget) {
  if (object.isUndefined()) failUndefined(object);
  if (object.is<std::shared_ptr<Loop>>()) return loopAttribute(*object.as<std::shared_ptr<Loop>>(), name);
  if (hasMethod(object, name)) {
    return std::make_shared<const Callable>(Callable{Callable::Kind::Method, nullptr, object, name});
  }
  const Dict* dict = object.dict();
  const Value* found = dict == nullptr ? nullptr : dict->find(std::string_view(name), budget);
  return found == nullptr ? missing(object, name) : *found;
}

Value itemOf(const Value& object, const Value& key, Budget& budget) {
  if (object.isUndefined()) failUndefined(object);
  if (key.isUndefined()) return Value::undefined(*key.as<Undefined>().what);
  const bool index = key.is<std::int64_t>() || key.is<bool>();
  if (index && (object.isText() || object.sequence() != nullptr)) {
    budget.step(object.isText() ? 1 + object.text()->size() / 16 : 1);
    return atIndex(object, key.integer());
  }
  if (const Dict* dict = object.dict()) {
    if (const Value* found = dict->find(key, budget)) return *found;
  }
  if (const std::string* name = key.text()) return attributeOf(object, *name, budget);
  return Value::undefined(std::string(object.typeName()) + " has no such item");
}

Value sliceOf(const Value& object, const Value& first, const Value& last, const Value& step, Budget& budget) {
  if (object.isUndefined()) failUndefined(object);
  const std::int64_t stride = step.isNone() ? 1 : step.integer();
  if (stride == 0) failed("the step of a slice is 0");
  if (const Sequence* sequence = object.sequence()) {
    std::vector<Value> items;
    const auto size = static_cast<std::int64_t>(sequence->items.size());
    for (const std::size_t at : places(first, last, stride, size, budget))
      items.push_back(sequence->items[at]);
    return Value::list(std::move(items), sequence->tuple);
  }
  const std::string* text = object.text();
  if (text == nullptr) failed(std::string("there are no slices of ") + object.typeName());
  budget.made(text->size());
  const auto parts = characters(*text);
  std::string result;
  for (const std::size_t at : places(first, last, stride, static_cast<std::int64_t>(parts.size()), budget)) {
    result += parts[at];
  }
  return result;
}

bool contains(const Value& container, const Value& item, Budget& budget) {
  if (container.isUndefined()) return false;
  if (const std::string* text = container.text()) {
    if (item.isUndefined()) failUndefined(item);
    if (!item.isText()) failed(std::string("a str cannot contain ") + item.typeName());
    budget.step(1 + text->size() / 16);
    return text->find(*item.text()) != std::string::npos;
  }
  if (const Dict* dict = container.dict(); dict != nullptr && !dict->isNamespace) {
    return dict->find(item, budget) != nullptr;
  }
  const Sequence* sequence = container.sequence();
  if (sequence == nullptr)
    failed(std::string("'in' needs a text, a list or a dict, not ") + container.typeName());
  return std::any_of(sequence->items.begin(), sequence->items.end(),
                     [&](const Value& other) { return equal(other, item, budget); });
}

}  // namespace moescope::chat
