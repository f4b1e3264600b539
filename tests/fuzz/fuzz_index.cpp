// Fuzz target: any text as model.safetensors.index.json beside two shards of one tensor each. Nothing but
// the tensors of the shards may come out.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/checkpoint/checkpoint_files.h"
#include "tests/fuzz/fuzz_input.h"

using namespace moescope;
namespace fs = std::filesystem;

namespace {

void write(const fs::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) std::abort();
}

void writeShard(const fs::path& path, const std::string& tensor) {
  std::string header = "{\"" + tensor + "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  write(path, bytes + header + std::string(4, '\0'));
}

/// A folder for the run, gone with it.
class Folder {
 public:
  Folder() : m_path(fs::temp_directory_path() / ("moescope-fuzz-index-" + std::to_string(::getpid()))) {
    fs::create_directories(m_path);
    writeShard(m_path / "a.safetensors", "w");
    writeShard(m_path / "b.safetensors", "v");
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(m_path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const fs::path& path() const { return m_path; }

 private:
  fs::path m_path;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder folder;
  write(folder.path() / "model.safetensors.index.json", fuzz::textOf(data, size));
  const auto files = checkpoint::openCheckpointFiles(folder.path());
  if (!files) {
    fuzz::requireError(files.error());
    return 0;
  }
  for (const auto& [name, view] : files->tensors) {
    if ((name != "w" && name != "v") || view.bytes.size() != 4) std::abort();
  }
  return 0;
}
