#include "core/checkpoint/gguf_translation.h"

#include <cmath>

#include "core/base/strict_json.h"

namespace moescope::checkpoint {

namespace {

using nlohmann::json;

constexpr std::size_t kMostInList = 4096;  // one a layer
constexpr std::size_t kMostTextBytes = 256;

template <class Number>
json asJson(Number number) {
  return number;
}
json asJson(std::string_view text) {
  return text.size() <= kMostTextBytes && isValidUtf8(text) ? json(std::string(text)) : json(nullptr);
}
json asJson(const GgufArray& array) {
  const auto numbers = wholeNumbers(array, kMostInList);
  if (!numbers.empty()) return numbers;
  const auto reals = realNumbers(array, kMostInList);
  return reals.empty() ? json(nullptr) : json(reals);
}

}  // namespace

GgufTranslation::GgufTranslation(const GgufFile& file, std::string displayName, std::string_view architecture)
    : m_file(file), m_displayName(std::move(displayName)), m_prefix(std::string(architecture) + ".") {}

void GgufTranslation::error(const char* kind, const std::string& key, const std::string& message) {
  if (!m_error)
    m_error =
        Error{kind, m_displayName, "key " + key, message, "convert the model again with a current llama.cpp"};
}

json GgufTranslation::value(std::string_view suffix) {
  const std::string key = keyOf(suffix);
  const auto found = m_file.metadata.find(key);
  if (found == m_file.metadata.end()) return nullptr;
  json stored = std::visit([](const auto& each) { return asJson(each); }, found->second);
  if (stored.is_null()) error("gguf.wrong_type", key, "is no number, short text or list of numbers");
  return stored;
}

json GgufTranslation::required(std::string_view suffix) {
  json stored = value(suffix);
  if (stored.is_null()) error("gguf.missing_key", keyOf(suffix), "is missing");
  return stored;
}

double GgufTranslation::number(std::string_view suffix, double fallback) {
  const json stored = value(suffix);
  if (stored.is_null()) return fallback;
  if (stored.is_number() && std::isfinite(stored.get<double>())) return stored.get<double>();
  error("gguf.wrong_type", keyOf(suffix), "is not a number");
  return fallback;
}

std::int64_t GgufTranslation::whole(std::string_view suffix, std::int64_t fallback) {
  const json stored = value(suffix);
  if (stored.is_null()) return fallback;
  const double wide = stored.is_number_integer() ? stored.get<double>() : -1.0;
  if (wide >= 0.0 && wide <= 1e9) return stored.get<std::int64_t>();
  error("gguf.wrong_type", keyOf(suffix), "is not a whole number from 0");
  return fallback;
}

void GgufTranslation::set(const char* configKey, std::string_view suffix, json stored) {
  m_origin[configKey] = keyOf(suffix);
  config[configKey] = std::move(stored);
}

void GgufTranslation::may(const char* configKey, std::string_view suffix, json fallback) {
  json stored = value(suffix);
  set(configKey, suffix, stored.is_null() ? std::move(fallback) : std::move(stored));
}

std::string GgufTranslation::keyOf(std::string_view suffix) const {
  const bool isWhole = suffix.starts_with("tokenizer.") || suffix.starts_with("general.");
  return isWhole ? std::string(suffix) : m_prefix + std::string(suffix);
}

std::string GgufTranslation::originOf(const std::string& configKey) const {
  const auto found = m_origin.find(configKey);
  return found == m_origin.end() ? configKey : "key " + found->second;
}

}  // namespace moescope::checkpoint
