// Parser: a template's source to its tree. Not for running it (evaluator.h).
#pragma once

#include <string_view>

#include "core/chat/syntax.h"

namespace moescope::chat {

/// Errors (thrown): `chat.syntax` and `chat.limit` with the line.
NodePtr parseTemplate(std::string_view source);

}  // namespace moescope::chat
