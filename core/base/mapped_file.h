// MappedFile: a file mapped read-only. Not for files that this program writes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "core/base/result.h"

namespace moescope {

class MappedFile {
 public:
  /// Maps the whole file. Errors: `file.not_found`, `file.unreadable` (a folder, no permission).
  static Result<std::shared_ptr<const MappedFile>> open(const std::filesystem::path& path);

  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::span<const std::byte> bytes() const { return {m_data, m_size}; }

 private:
  MappedFile(const std::byte* data, std::size_t size) : m_data(data), m_size(size) {}

  const std::byte* m_data;
  std::size_t m_size;
};

/// Reads a small text file at once. Errors: `file.not_found`, `file.unreadable`, `file.too_large`.
Result<std::string> readTextFile(const std::filesystem::path& path, std::size_t maxBytes);

}  // namespace moescope
