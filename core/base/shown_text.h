// Text from a stranger's file, made fit for one line of an error or warning.
// Not for storing: what it leaves out is lost.
#pragma once

#include <string>
#include <string_view>

namespace moescope {

/// `text` (UTF-8) with control characters written as \u00XX, so that a file cannot steer a terminal, and
/// cut to `maxBytes` on a character border with "..." where it is longer.
std::string shown(std::string_view text, std::size_t maxBytes = 120);

}  // namespace moescope
