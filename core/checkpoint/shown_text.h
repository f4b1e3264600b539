// Text from a checkpoint's files, made fit for one line of an error or warning.
// Not for storing: what it leaves out is lost.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace moescope::checkpoint {

/// `text` (UTF-8) with control characters written as \u00XX, so that a file cannot steer a terminal, and
/// cut to `maxBytes` on a character border with "..." where it is longer.
std::string shown(std::string_view text, std::size_t maxBytes = 120);

/// A JSON value in the same way; lists and objects are named, not written out.
std::string shownValue(const nlohmann::json& value);

}  // namespace moescope::checkpoint
