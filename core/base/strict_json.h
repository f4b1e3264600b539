// Strict JSON for files from strangers: limits, UTF-8 and duplicate keys are checked while reading.
// Not for writing; nlohmann::json does that itself.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/base/result.h"

namespace moescope {

struct JsonLimits {
  std::size_t maxDepth = 64;
  std::size_t maxBytes = 256u << 20;
};

/// What went wrong, so that a reader can give it the kind of its own area.
enum class JsonFault { TooLarge, NotUtf8, Syntax, TooDeep, DuplicateKey };

struct JsonError {
  JsonFault fault;
  std::string where;  ///< "byte 123" or "key model.norm.weight"
  std::string message;
};

/// Parses one document; object keys keep no order. Rejects duplicate keys, nesting beyond the limit
/// (without recursion), text that is not UTF-8 and anything after the document.
tl::expected<nlohmann::json, JsonError> parseStrictJson(std::string_view text, const JsonLimits& limits = {});

/// True if `text` is well-formed UTF-8 (no surrogates, no overlong forms); else the first bad byte.
bool isValidUtf8(std::string_view text, std::size_t* badByte = nullptr);

}  // namespace moescope
