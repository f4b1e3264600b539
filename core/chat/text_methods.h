// Methods of texts. Not for those of lists and dictionaries (methods.h).
#pragma once

#include <string_view>

#include "core/chat/value.h"

namespace moescope::chat {

using TextMethod = Value (*)(const Value& self, const Arguments& arguments, Budget& budget);
TextMethod findTextMethod(std::string_view name);  ///< null if there is none

/// `text` with up to `most` places of `old` replaced (all if it is negative).
std::string replaced(std::string_view text, std::string_view old, std::string_view content, std::int64_t most,
                     Budget& budget);
/// The lines of a text without their ends.
std::vector<std::string_view> linesOf(std::string_view text);
/// A text argument. Errors (thrown): `chat.failed` if it is none.
const std::string& textOf(const Value& value);
/// Texts with `separator` between. Errors (thrown): `chat.failed` for items that are no text.
std::string joinedTexts(const Sequence& items, std::string_view separator, Budget& budget);

}  // namespace moescope::chat
