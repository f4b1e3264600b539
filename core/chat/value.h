// Value: what a template computes with, as Python has it. Not for how it is written (python_text.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/chat/budget.h"

namespace moescope::chat {

class Value;
struct Node;

struct None {};

/// A name or attribute that is not there; the text says which, for the error of whoever needs it.
struct Undefined {
  std::shared_ptr<const std::string> what;
};

/// A list or tuple; never changes.
struct Sequence {
  std::vector<Value> items;
  bool tuple = false;
  int depth = 1;  ///< of lists within lists
};

/// A dictionary in its order; only those made by namespace() change.
struct Dict {
  std::vector<std::pair<Value, Value>> entries;
  bool isNamespace = false;
  int depth = 1;

  [[nodiscard]] const Value* find(const Value& key, Budget& budget) const;
  [[nodiscard]] const Value* find(std::string_view key, Budget& budget) const;
  void set(std::string_view key, Value value, Budget& budget);
};

/// The variable `loop` of a for statement.
struct Loop {
  std::shared_ptr<const Sequence> items;
  std::size_t index = 0;  ///< from 0
};

/// A macro, a method of a value, or a function of the engine.
struct Callable;

class Value {
 public:
  using Text = std::shared_ptr<const std::string>;
  using Storage =
      std::variant<Undefined, None, bool, std::int64_t, double, Text, std::shared_ptr<const Sequence>,
                   std::shared_ptr<Dict>, std::shared_ptr<Loop>, std::shared_ptr<const Callable>>;

  Value() : m_storage(None{}) {}
  Value(bool value) : m_storage(value) {}                                                       // NOLINT
  Value(std::int64_t value) : m_storage(value) {}                                               // NOLINT
  Value(double value) : m_storage(value) {}                                                     // NOLINT
  Value(std::string text) : m_storage(std::make_shared<const std::string>(std::move(text))) {}  // NOLINT
  Value(const char* text) : Value(std::string(text)) {}                                         // NOLINT
  Value(std::shared_ptr<Dict> dict) : m_storage(std::move(dict)) {}                             // NOLINT
  Value(std::shared_ptr<Loop> loop) : m_storage(std::move(loop)) {}                             // NOLINT
  Value(std::shared_ptr<const Callable> callable) : m_storage(std::move(callable)) {}           // NOLINT
  Value(std::shared_ptr<const Sequence> sequence) : m_storage(std::move(sequence)) {}           // NOLINT
  static Value undefined(std::string what);
  /// Errors (thrown): `chat.limit` for lists within lists within lists.
  static Value list(std::vector<Value> items, bool tuple = false);
  static Value dict(std::vector<std::pair<Value, Value>> entries);
  /// Numbers beyond 64 bits become floats.
  static Value fromJson(const nlohmann::ordered_json& json);

  [[nodiscard]] bool isUndefined() const { return is<Undefined>(); }
  [[nodiscard]] bool isNone() const { return is<None>(); }
  [[nodiscard]] bool isText() const { return is<Text>(); }
  [[nodiscard]] bool isNumber() const { return is<bool>() || is<std::int64_t>() || is<double>(); }
  template <class T>
  [[nodiscard]] bool is() const {
    return std::holds_alternative<T>(m_storage);
  }
  template <class T>
  [[nodiscard]] const T& as() const {
    return std::get<T>(m_storage);
  }
  [[nodiscard]] const std::string* text() const;   ///< null if it is no text
  [[nodiscard]] const Sequence* sequence() const;  ///< null if it is no list or tuple
  [[nodiscard]] Dict* dict() const;                ///< null if it is no dictionary
  [[nodiscard]] double number() const;             ///< of a number
  [[nodiscard]] std::int64_t integer() const;      ///< of a bool or int; errors otherwise
  [[nodiscard]] bool truth() const;
  [[nodiscard]] const char* typeName() const;  ///< Python's
  [[nodiscard]] int depth() const;

 private:
  explicit Value(Storage storage) : m_storage(std::move(storage)) {}
  Storage m_storage;
};

struct Callable {
  enum class Kind { Macro, Method, Function };
  Kind kind = Kind::Function;
  const Node* macro = nullptr;
  Value self;        ///< of a method
  std::string name;  ///< of a method or function
};

/// Arguments of a call, filter or test.
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;

  /// The argument at `index` or with the name; null if neither is given.
  [[nodiscard]] const Value* find(std::size_t index, std::string_view name) const;
  /// The same, or an error if it is missing.
  [[nodiscard]] const Value& need(std::size_t index, std::string_view name) const;
};

/// Python's ==. Counts the steps.
bool equal(const Value& a, const Value& b, Budget& budget);
/// Python's order: below 0, 0 or above 0. Errors (thrown): `chat.failed` for what has no order.
int compare(const Value& a, const Value& b, Budget& budget);
/// What a for statement goes through: items, keys, characters; nothing of an undefined value. Errors
/// (thrown): `chat.failed` for what cannot be gone through.
std::shared_ptr<const Sequence> iterate(const Value& value, Budget& budget);

}  // namespace moescope::chat
