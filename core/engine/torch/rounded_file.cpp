#include "core/engine/torch/rounded_file.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace moescope::engine {

namespace fs = std::filesystem;

namespace {

// The number changes with the order of the weights, their formats or their alignment.
constexpr std::string_view kHeading = "MoEScope rounded weights, layout 1\n";
// Of the header: heading, size of the weights, zeros.
constexpr std::size_t kHeaderBytes = 64;
static_assert(kHeading.size() + sizeof(std::uint64_t) <= kHeaderBytes);

std::array<char, kHeaderBytes> headerFor(std::uint64_t bytes) {
  std::array<char, kHeaderBytes> header{};
  std::memcpy(header.data(), kHeading.data(), kHeading.size());
  std::memcpy(header.data() + kHeading.size(), &bytes, sizeof bytes);
  return header;
}

/// The latest time at which a file of weights was written, since 1970.
std::int64_t lastChange(const checkpoint::Checkpoint& checkpoint) {
  std::int64_t latest = 0;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(checkpoint.folder(), code)) {
    const auto extension = entry.path().extension();
    if (extension != ".safetensors" && extension != ".gguf") continue;
    const auto written = std::chrono::file_clock::to_sys(fs::last_write_time(entry.path(), code));
    latest = std::max<std::int64_t>(latest, written.time_since_epoch().count());
  }
  return latest;
}

}  // namespace

fs::path RoundedFile::pathOf(const fs::path& folder, const checkpoint::Checkpoint& checkpoint, Dtype dtype) {
  return folder / fmt::format("{}-{:x}-{}.weights", checkpoint.fingerprint(), lastChange(checkpoint),
                              dtype == Dtype::Q8_0 ? "q8_0" : "q4_0");
}

std::optional<RoundedFile> RoundedFile::open(const fs::path& path, std::size_t bytes) {
  auto file = MappedFile::open(path);
  if (!file || (*file)->bytes().size() != kHeaderBytes + bytes) return std::nullopt;
  const auto wanted = headerFor(bytes);
  if (std::memcmp((*file)->bytes().data(), wanted.data(), wanted.size()) != 0) return std::nullopt;
  return RoundedFile(*std::move(file));
}

Result<void> RoundedFile::write(const fs::path& path, std::span<const std::byte> weights) {
  const auto failed = [&] {
    return fail("machine.io", path.string(), "", "the rounded weights cannot be kept on disk",
                "free some space, or choose another folder");
  };
  std::error_code code;
  fs::create_directories(path.parent_path(), code);
  // Another process may write the same file: each has its own, and the last to finish stays.
  const fs::path part = path.string() + ".part" + std::to_string(::getpid());
  std::ofstream file(part, std::ios::binary);
  const auto header = headerFor(weights.size());
  file.write(header.data(), header.size());
  file.write(reinterpret_cast<const char*>(weights.data()), static_cast<std::streamsize>(weights.size()));
  file.close();
  if (file) fs::rename(part, path, code);
  if (!file || code) {
    fs::remove(part, code);
    return failed();
  }
  return {};
}

const std::byte* RoundedFile::weights() const { return m_file->bytes().data() + kHeaderBytes; }

}  // namespace moescope::engine
