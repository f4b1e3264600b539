// Jinja's tests, what stands behind `is`. Not for the program's own tests.
#pragma once

#include <string>

#include "core/chat/value.h"

namespace moescope::chat {

/// Errors (thrown): `chat.failed` for a name that is no test.
bool passes(const std::string& name, const Value& value, const Arguments& arguments, Budget& budget);

}  // namespace moescope::chat
