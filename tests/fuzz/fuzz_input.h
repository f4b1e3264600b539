// What the fuzz targets share: their input as a file, and what every error must have. Not for running targets
// (short_run.cpp, or libFuzzer).
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace moescope::fuzz {

/// A file in memory, under a name that can be opened.
class MemoryFile {
 public:
  MemoryFile(const std::uint8_t* data, std::size_t size) : m_number(::memfd_create("fuzz", MFD_CLOEXEC)) {
    if (m_number < 0 || ::write(m_number, data, size) != static_cast<ssize_t>(size)) std::abort();
  }
  ~MemoryFile() { ::close(m_number); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(m_number); }

 private:
  int m_number;
};

inline std::string_view textOf(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// An error has a kind and a message, in one line without control characters.
inline void requireError(const Error& error) {
  const auto isControl = [](char byte) { return static_cast<unsigned char>(byte) < 0x20; };
  const std::string text = error.text();
  const bool isShown = error.kind.find('.') != std::string::npos && !error.message.empty();
  if (!isShown || std::any_of(text.begin(), text.end(), isControl)) std::abort();
}

}  // namespace moescope::fuzz
