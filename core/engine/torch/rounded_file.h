// RoundedFile: weights that were rounded to 8 or 4 bits, kept on disk so that the next load maps them.
// Not for rounding (weight_storage.h), and not a format for others: it can be deleted at any time.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include "core/base/mapped_file.h"
#include "core/base/result.h"
#include "core/engine/api/engine.h"

namespace moescope::engine {

class RoundedFile {
 public:
  /// `folder`/FINGERPRINT-TIME-q4_0.weights: of one checkpoint and dtype. The fingerprint samples the
  /// weights, so the time of the last change of its files stands beside it.
  static std::filesystem::path pathOf(const std::filesystem::path& folder,
                                      const checkpoint::Checkpoint& checkpoint, Dtype dtype);
  /// Nothing unless the file is there, whole, and holds `bytes` of weights of this layout.
  static std::optional<RoundedFile> open(const std::filesystem::path& path, std::size_t bytes);
  /// Writes it beside its place and moves it there. Errors: `machine.io`.
  static Result<void> write(const std::filesystem::path& path, std::span<const std::byte> weights);

  /// At a multiple of 64 bytes.
  [[nodiscard]] const std::byte* weights() const;

 private:
  explicit RoundedFile(std::shared_ptr<const MappedFile> file) : m_file(std::move(file)) {}

  std::shared_ptr<const MappedFile> m_file;
};

}  // namespace moescope::engine
