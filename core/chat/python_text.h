// How Python writes values: str(), repr() and json.dumps(). Not for parsing.
#pragma once

#include <string>

#include "core/chat/value.h"

namespace moescope::chat {

std::string pythonText(const Value& value, Budget& budget);  ///< str(); an undefined value is empty
std::string pythonRepr(const Value& value, Budget& budget);

struct JsonStyle {
  bool ascii = false;
  bool sortKeys = false;
  int indent = -1;  ///< -1: one line
  std::string itemSeparator = ", ";
  std::string keySeparator = ": ";
};
/// Errors (thrown): `chat.failed` for what JSON cannot say.
std::string jsonText(const Value& value, const JsonStyle& style, Budget& budget);

}  // namespace moescope::chat
