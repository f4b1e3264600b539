// Operators between two values, with Python's arithmetic. Not for comparisons (value.h).
#pragma once

#include <string_view>

#include "core/chat/value.h"

namespace moescope::chat {

/// `operation` is one of + - * / // % **. Errors (thrown): `chat.failed` for types that do not go together,
/// division by zero and whole numbers beyond 64 bits.
Value binary(std::string_view operation, const Value& left, const Value& right, Budget& budget);
Value negative(const Value& value);

}  // namespace moescope::chat
