// Component: one JSON value of tokenizer.json with its place, read with checks.
// Not for deciding what a component does.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/base/result.h"

namespace moescope::tokenizer {

/// Ends loading or encoding; caught where the folder's functions return a Result.
class Refusal : public std::runtime_error {
 public:
  explicit Refusal(Error error) : std::runtime_error(error.message), m_error(std::move(error)) {}
  [[nodiscard]] const Error& error() const { return m_error; }

 private:
  Error m_error;
};

/// Strict JSON of a tokenizer's file. Errors (thrown): `tokenizer.not_json`, `tokenizer.not_utf8`,
/// `tokenizer.nesting_too_deep`, `tokenizer.duplicate_key`, `tokenizer.too_large`.
nlohmann::json parseDocument(std::string_view text, const std::string& file);

/// A string of the file, quoted, escaped to ASCII and cut, fit for one line of an error.
std::string shownText(std::string_view text);

class Component {
 public:
  Component(const nlohmann::json& value, const std::string& file, std::string place)
      : m_value(value), m_file(file), m_place(std::move(place)) {}

  [[nodiscard]] const nlohmann::json& value() const { return m_value; }
  [[nodiscard]] const std::string& file() const { return m_file; }
  [[nodiscard]] const std::string& place() const { return m_place; }
  [[nodiscard]] bool isNull() const { return m_value.is_null(); }

  /// A member of an object; null if it is missing. Errors: `tokenizer.wrong_type` if this is no object.
  [[nodiscard]] Component at(const char* key) const;
  [[nodiscard]] Component item(std::size_t index) const;  ///< of a list, unchecked
  [[nodiscard]] std::size_t listSize() const;             ///< errors if this is no list

  [[nodiscard]] const std::string& text() const;  ///< errors if this is no string
  [[nodiscard]] bool flag(const char* key, bool fallback) const;
  [[nodiscard]] std::string textAt(const char* key, const std::string& fallback) const;
  /// A whole number of at least 0 that fits 32 bits. Errors: `tokenizer.bad_id`.
  [[nodiscard]] std::int32_t id() const;
  [[nodiscard]] const std::string& type() const;  ///< the member "type"

  [[noreturn]] void refuse(const char* kind, std::string message, std::string advice = {}) const;
  /// `tokenizer.unsupported`, naming what it is.
  [[noreturn]] void unsupported(const std::string& what) const;

 private:
  const nlohmann::json& m_value;
  const std::string& m_file;
  std::string m_place;
};

/// One kind of component: the word under "type" and what reads it.
template <class Made>
struct ComponentRow {
  const char* type;
  Made (*make)(const Component&);
};

/// Reads a component by its row; `slot` names what it is in the error for a type without one.
template <class Made>
Made makeFromRows(const Component& component, std::span<const ComponentRow<Made>> rows, const char* slot) {
  for (const auto& row : rows) {
    if (component.type() == row.type) return row.make(component);
  }
  component.unsupported(std::string("the ") + slot + " " + shownText(component.type()));
}

}  // namespace moescope::tokenizer
