// Functions that a template may call by name. Not for macros (evaluator.h) or methods (methods.h).
#pragma once

#include <ctime>
#include <string>

#include "core/chat/value.h"

namespace moescope::chat {

bool isFunction(const std::string& name);

/// range, dict and strftime_now (the time `now`); raise_exception throws a Fault `chat.refused` with the
/// template's own words. namespace() is the evaluator's.
Value callFunction(const std::string& name, const Arguments& arguments, const std::tm& now, Budget& budget);

}  // namespace moescope::chat
