// Filters that go through a list. Not for those of one value (filters.h).
#pragma once

#include <string_view>

#include "core/chat/value.h"

namespace moescope::chat {

using Filter = Value (*)(const Value& value, const Arguments& arguments, Budget& budget);
struct FilterRow {
  std::string_view name;
  Filter filter;
};
Filter findListFilter(std::string_view name);  ///< null if there is none

}  // namespace moescope::chat
