#include "core/checkpoint/config_reader.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/checkpoint/shown_text.h"

namespace moescope::checkpoint {

namespace {

constexpr std::int64_t kMaxTokenId = 1 << 24;
constexpr std::size_t kMaxTokenIds = 1024;

}  // namespace

const nlohmann::json* ConfigReader::find(std::string_view key) const {
  m_keysRead.emplace(key);
  const auto found = m_config.find(key);
  return found == m_config.end() || found->is_null() ? nullptr : &*found;
}

bool ConfigReader::mentions(std::string_view key) const { return m_config.contains(key); }

void ConfigReader::error(const char* kind, const std::string& key, const std::string& message,
                         const std::string& advice) {
  if (!m_error) m_error = Error{kind, m_file, key, message, advice};
}

std::int64_t ConfigReader::whole(std::initializer_list<const char*> keys, std::int64_t fallback,
                                 std::int64_t low, std::int64_t high) {
  for (const char* key : keys) {
    const auto* value = find(key);
    if (value == nullptr) continue;
    // Some families give one number a layer; what is the same in all is one number.
    if (value->is_array() && !value->empty() &&
        std::all_of(value->begin(), value->end(), [&](const auto& each) { return each == value->front(); })) {
      value = &value->front();
    }
    if (!value->is_number_integer()) {
      error("config.wrong_type", key, fmt::format("{} is not a whole number", shownValue(*value)));
      return fallback;
    }
    const bool tooLarge =
        value->is_number_unsigned() && value->get<std::uint64_t>() > static_cast<std::uint64_t>(high);
    if (tooLarge || value->get<std::int64_t>() < low || value->get<std::int64_t>() > high) {
      error("config.bad_value", key,
            fmt::format("{} is not between {} and {}", shownValue(*value), low, high));
      return fallback;
    }
    return value->get<std::int64_t>();
  }
  return fallback;
}

double ConfigReader::number(std::initializer_list<const char*> keys, double fallback, double low,
                            double high) {
  for (const char* key : keys) {
    const auto* value = find(key);
    if (value == nullptr) continue;
    if (!value->is_number()) {
      error("config.wrong_type", key, fmt::format("{} is not a number", shownValue(*value)));
      return fallback;
    }
    const double result = value->get<double>();
    if (!std::isfinite(result) || result < low || result > high) {
      error("config.bad_value", key,
            fmt::format("{} is not between {} and {}", shownValue(*value), low, high));
      return fallback;
    }
    return result;
  }
  return fallback;
}

std::optional<double> ConfigReader::optionalNumber(const char* key, double low, double high) {
  if (find(key) == nullptr) return std::nullopt;
  return number({key}, low, low, high);
}

bool ConfigReader::flag(const char* key, bool fallback) {
  const auto* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) {
    error("config.wrong_type", key, fmt::format("{} is not true or false", shownValue(*value)));
    return fallback;
  }
  return value->get<bool>();
}

std::string ConfigReader::text(const char* key, const std::string& fallback) {
  const auto* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_string()) {
    error("config.wrong_type", key, fmt::format("{} is not a text", shownValue(*value)));
    return fallback;
  }
  return value->get<std::string>();
}

std::vector<std::int32_t> ConfigReader::tokenIds(const char* key) {
  const auto* value = find(key);
  if (value == nullptr) return {};
  const nlohmann::json list = value->is_array() ? *value : nlohmann::json::array({*value});
  std::vector<std::int32_t> ids;
  if (list.size() > kMaxTokenIds) {
    error("config.bad_value", key, "has too many token ids");
    return ids;
  }
  for (const auto& id : list) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() > kMaxTokenId) {
      error("config.bad_value", key, fmt::format("{} is not a token id", shownValue(id)));
      return {};
    }
    ids.push_back(id.get<std::int32_t>());
  }
  return ids;
}

}  // namespace moescope::checkpoint
