// Numbers, strings and values from the bytes of a GGUF file, none beyond its end. Not for what they mean.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/checkpoint/gguf_file.h"

namespace moescope::checkpoint {

class GgufReader {
 public:
  GgufReader(const std::string& file, std::span<const std::byte> bytes) : m_file(file), m_bytes(bytes) {}

  [[nodiscard]] std::span<const std::byte> all() const { return m_bytes; }
  [[nodiscard]] std::uint64_t position() const { return m_position; }
  [[nodiscard]] std::uint64_t left() const { return m_bytes.size() - m_position; }

  /// `what` is named where the file ends too early. Errors: `gguf.truncated`.
  Result<std::span<const std::byte>> take(std::uint64_t count, const std::string& what);
  template <class Number>
  Result<Number> number(const std::string& what) {
    const auto bytes = take(sizeof(Number), what);
    if (!bytes) return fail(bytes.error());
    Number value{};
    std::memcpy(&value, bytes->data(), sizeof value);
    return value;
  }
  Result<std::string_view> string(const std::string& what);

  [[nodiscard]] tl::unexpected<Error> error(const char* kind, std::string where, std::string message,
                                            std::string advice = {}) const;

 private:
  const std::string& m_file;
  std::span<const std::byte> m_bytes;
  std::uint64_t m_position = 0;
};

/// A value of the metadata with its type. Errors: `gguf.truncated`, `gguf.bad_value_type`,
/// `gguf.nesting_too_deep`, `gguf.bad_count`.
Result<GgufValue> readGgufValue(GgufReader& in, const std::string& where);

}  // namespace moescope::checkpoint
