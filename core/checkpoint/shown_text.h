// Values from a checkpoint's files in errors and warnings, as core/base/shown_text.h writes texts.
// Not for storing: what it leaves out is lost.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "core/base/shown_text.h"

namespace moescope::checkpoint {

using moescope::shown;

/// A JSON value in one line; lists and objects are named, not written out.
std::string shownValue(const nlohmann::json& value);

}  // namespace moescope::checkpoint
