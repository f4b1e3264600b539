// What a value gives for a name, a key, an index or a slice. Not for calling what it gives (methods.h).
#pragma once

#include <string>

#include "core/chat/value.h"

namespace moescope::chat {

/// `object.name`: a method, else an entry; undefined if there is neither. Errors (thrown): `chat.failed` for
/// an undefined object.
Value attributeOf(const Value& object, const std::string& name, Budget& budget);
/// `object[key]`: an entry, else an attribute. Errors as attributeOf.
Value itemOf(const Value& object, const Value& key, Budget& budget);
/// `object[first:last:step]` of a text or list; None where a bound is not given. Errors (thrown):
/// `chat.failed`.
Value sliceOf(const Value& object, const Value& first, const Value& last, const Value& step, Budget& budget);
/// `item in container`. Errors (thrown): `chat.failed` for what contains nothing.
bool contains(const Value& container, const Value& item, Budget& budget);

/// The error that an undefined value is where another is needed.
[[noreturn]] void failUndefined(const Value& value);

}  // namespace moescope::chat
