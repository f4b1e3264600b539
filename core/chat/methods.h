// Methods of texts, lists and dictionaries, by Python's names. Not for filters (filters.h).
#pragma once

#include <string_view>

#include "core/chat/value.h"

namespace moescope::chat {

bool hasMethod(const Value& self, std::string_view name);
/// Errors (thrown): `chat.failed`; methods that change a value are refused, as transformers does.
Value callMethod(const Value& self, std::string_view name, const Arguments& arguments, Budget& budget);

}  // namespace moescope::chat
