// ConfigReader: typed, bounded reading of config.json with aliases and class defaults.
// Not for deciding what a family means.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"

namespace moescope::checkpoint {

/// Collects the first error; later reads give the fallback, so a family reads straight on and asks once.
class ConfigReader {
 public:
  ConfigReader(const nlohmann::json& config, std::string file) : m_config(config), m_file(std::move(file)) {}

  /// A whole number within [low, high] under the first key that is present and not null; else `fallback`.
  std::int64_t whole(std::initializer_list<const char*> keys, std::int64_t fallback, std::int64_t low,
                     std::int64_t high);
  /// A finite number within [low, high].
  double number(std::initializer_list<const char*> keys, double fallback, double low, double high);
  std::optional<double> optionalNumber(const char* key, double low, double high);
  bool flag(const char* key, bool fallback);
  std::string text(const char* key, const std::string& fallback);
  /// Token ids: a number, a list of numbers, or nothing.
  std::vector<std::int32_t> tokenIds(const char* key);

  /// Null if the key is missing or null.
  [[nodiscard]] const nlohmann::json* find(std::string_view key) const;
  /// True if the key is there, be it null: where a class default is not null, null means none.
  [[nodiscard]] bool mentions(std::string_view key) const;
  /// Keys that were looked up.
  [[nodiscard]] const std::set<std::string, std::less<>>& keysRead() const { return m_keysRead; }
  /// Records an error: `config.bad_value` and the like.
  void error(const char* kind, const std::string& key, const std::string& message,
             const std::string& advice = {});
  [[nodiscard]] const std::optional<Error>& firstError() const { return m_error; }

 private:
  const nlohmann::json& m_config;
  std::string m_file;
  std::optional<Error> m_error;
  mutable std::set<std::string, std::less<>> m_keysRead;
};

}  // namespace moescope::checkpoint
