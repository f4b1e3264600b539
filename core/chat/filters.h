// Jinja's filters, what stands behind `|`. Not for methods (methods.h).
#pragma once

#include <string>

#include "core/chat/value.h"

namespace moescope::chat {

/// Errors (thrown): `chat.failed` for a name that is no filter or a value that it cannot take.
Value filtered(const std::string& name, const Value& value, const Arguments& arguments, Budget& budget);

}  // namespace moescope::chat
