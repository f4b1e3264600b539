// Trace files as bytes, and the error that opening one gives. Not for what is in a trace (trace_fixture.h).
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "core/trace/trace_store.h"

namespace moescope::trace::fixture {

inline std::string bytesOf(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

inline std::string errorOf(const std::filesystem::path& path, OpenMode mode) {
  const auto store = TraceStore::open(path, mode);
  return store ? "none" : store.error().kind;
}

}  // namespace moescope::trace::fixture
