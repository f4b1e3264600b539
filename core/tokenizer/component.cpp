#include "core/tokenizer/component.h"

#include <limits>

#include <fmt/format.h>

#include "core/base/strict_json.h"

namespace moescope::tokenizer {

namespace {

constexpr std::size_t kMaxShown = 80;

const char* kindOf(JsonFault fault) {
  switch (fault) {
    case JsonFault::TooLarge: return "tokenizer.too_large";
    case JsonFault::NotUtf8: return "tokenizer.not_utf8";
    case JsonFault::Syntax: return "tokenizer.not_json";
    case JsonFault::TooDeep: return "tokenizer.nesting_too_deep";
    case JsonFault::DuplicateKey: return "tokenizer.duplicate_key";
  }
  return "tokenizer.not_json";
}

}  // namespace

nlohmann::json parseDocument(std::string_view text, const std::string& file) {
  auto document = parseStrictJson(text);
  if (!document) {
    const JsonError& error = document.error();
    throw Refusal({kindOf(error.fault), file, error.where, error.message, "get the file again"});
  }
  return *std::move(document);
}

std::string shownText(std::string_view text) {
  // Cut before escaping: a cut character becomes a replacement character, which is fine to show.
  std::string shown = nlohmann::json(std::string(text.substr(0, kMaxShown)))
                          .dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return text.size() > kMaxShown ? shown + "..." : shown;
}

Component Component::at(const char* key) const {
  static const nlohmann::json kNull;
  if (!m_value.is_object()) refuse("tokenizer.wrong_type", "an object is needed here");
  const auto found = m_value.find(key);
  return {found == m_value.end() ? kNull : *found, m_file, m_place.empty() ? key : m_place + "." + key};
}

Component Component::item(std::size_t index) const {
  return {m_value[index], m_file, fmt::format("{}[{}]", m_place, index)};
}

std::size_t Component::listSize() const {
  if (!m_value.is_array()) refuse("tokenizer.wrong_type", "a list is needed here");
  return m_value.size();
}

const std::string& Component::text() const {
  if (!m_value.is_string()) refuse("tokenizer.wrong_type", "a string is needed here");
  return m_value.get_ref<const std::string&>();
}

bool Component::flag(const char* key, bool fallback) const {
  const Component member = at(key);
  if (member.isNull()) return fallback;
  if (!member.value().is_boolean()) member.refuse("tokenizer.wrong_type", "true or false is needed here");
  return member.value().get<bool>();
}

std::string Component::textAt(const char* key, const std::string& fallback) const {
  const Component member = at(key);
  return member.isNull() ? fallback : member.text();
}

std::int32_t Component::id() const {
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max() - 1);
  if (!m_value.is_number_unsigned() || m_value.get<std::uint64_t>() > kLargest) {
    refuse("tokenizer.bad_id", "a token id is a whole number from 0");
  }
  return m_value.get<std::int32_t>();
}

const std::string& Component::type() const {
  static const std::string kType = "type";
  if (!m_value.is_object()) refuse("tokenizer.wrong_type", "an object with a type is needed here");
  const auto found = m_value.find(kType);
  if (found == m_value.end() || !found->is_string()) refuse("tokenizer.wrong_type", "the type is missing");
  return found->get_ref<const std::string&>();
}

void Component::refuse(const char* kind, std::string message, std::string advice) const {
  throw Refusal({kind, m_file, m_place, std::move(message), std::move(advice)});
}

void Component::unsupported(const std::string& what) const {
  refuse("tokenizer.unsupported", what + " is not supported",
         "convert the tokenizer, or use a model with another one");
}

}  // namespace moescope::tokenizer
