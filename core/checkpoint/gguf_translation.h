// The keys of GGUF metadata as keys of a config.json, one at a time, and where each came from.
// Not for knowing which keys an architecture has (gguf_config.h).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "core/checkpoint/gguf_file.h"

namespace moescope::checkpoint {

/// Collects the keys of a config.json. The first error stays. A `suffix` stands after the architecture's
/// name, but for `general.*` and `tokenizer.*`, which are whole keys.
class GgufTranslation {
 public:
  GgufTranslation(const GgufFile& file, std::string displayName, std::string_view architecture);

  nlohmann::json config = nlohmann::json::object();

  [[nodiscard]] bool hasTensor(const std::string& name) const { return m_file.tensors.contains(name); }
  [[nodiscard]] const std::optional<Error>& firstError() const { return m_error; }
  void error(const char* kind, const std::string& key, const std::string& message);

  /// Null where the file does not have it, or where it is no number, short text or list of numbers.
  nlohmann::json value(std::string_view suffix);
  /// An error where the file does not have it.
  nlohmann::json required(std::string_view suffix);
  double number(std::string_view suffix, double fallback);
  std::int64_t whole(std::string_view suffix, std::int64_t fallback);

  void set(const char* configKey, std::string_view suffix, nlohmann::json stored);
  void need(const char* configKey, std::string_view suffix) { set(configKey, suffix, required(suffix)); }
  void may(const char* configKey, std::string_view suffix, nlohmann::json fallback);

  [[nodiscard]] std::string keyOf(std::string_view suffix) const;
  /// "key " and the key of the file for a key of config.json, or that itself.
  [[nodiscard]] std::string originOf(const std::string& configKey) const;

 private:
  const GgufFile& m_file;
  std::string m_displayName;
  std::string m_prefix;
  std::map<std::string, std::string> m_origin;
  std::optional<Error> m_error;
};

}  // namespace moescope::checkpoint
