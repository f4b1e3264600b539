#include "core/checkpoint/shown_text.h"

#include <fmt/format.h>

namespace moescope::checkpoint {

std::string shownValue(const nlohmann::json& value) {
  if (value.is_array()) return fmt::format("a list of {}", value.size());
  if (value.is_object()) return "an object";
  if (value.is_string()) return "\"" + shown(value.get_ref<const std::string&>()) + "\"";
  return value.dump();
}

}  // namespace moescope::checkpoint
