#include "core/checkpoint/hf_cache.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "core/base/mapped_file.h"
#include "core/base/strict_json.h"
#include "core/checkpoint/checkpoint_files.h"
#include "core/checkpoint/model_description.h"

namespace moescope::checkpoint {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxConfigBytes = 16u << 20;
constexpr std::size_t kMaxRefBytes = 256;
constexpr auto kConfigFile = "config.json";
constexpr std::string_view kRepositoryPrefix = "models--";

/// What a folder holds; nothing where it cannot be read (the standard loop would throw half-way).
std::vector<fs::path> entriesOf(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    entries.push_back(at->path());
  }
  return entries;
}

std::optional<fs::path> chosenSnapshot(const fs::path& repository) {
  if (auto ref = readTextFile(repository / "refs" / "main", kMaxRefBytes)) {
    ref->erase(ref->find_last_not_of(" \n\r\t") + 1);
    const bool plain = !ref->empty() && ref->find('/') == std::string::npos && *ref != "..";
    const fs::path snapshot = repository / "snapshots" / *ref;
    if (plain && presence(snapshot, kConfigFile) == Presence::File) return snapshot;
  }
  std::optional<fs::path> newest;
  fs::file_time_type newestTime{};
  for (const auto& entry : entriesOf(repository / "snapshots")) {
    if (presence(entry, kConfigFile) != Presence::File) continue;
    std::error_code error;
    const auto time = fs::last_write_time(entry, error);
    if (!newest || time > newestTime) {
      newest = entry;
      newestTime = time;
    }
  }
  return newest;
}

std::int64_t safetensorsBytes(const fs::path& snapshot) {
  std::error_code error;
  std::int64_t bytes = 0;
  for (const auto& entry : entriesOf(snapshot)) {
    if (entry.extension() != ".safetensors") continue;
    const auto size = fs::file_size(entry, error);
    if (!error) bytes += static_cast<std::int64_t>(size);
  }
  return bytes;
}

std::optional<CachedModel> readModel(const fs::path& repository) {
  const auto snapshot = chosenSnapshot(repository);
  if (!snapshot) return std::nullopt;
  const auto text = readTextFile(*snapshot / kConfigFile, kMaxConfigBytes);
  if (!text) return std::nullopt;
  const auto config = parseStrictJson(*text);
  if (!config || !config->is_object()) return std::nullopt;
  CachedModel model;
  model.repository = repositoryName(repository.filename().string());
  model.snapshot = *snapshot;
  model.revision = snapshot->filename().string();
  if (const auto type = config->find("model_type"); type != config->end() && type->is_string()) {
    model.family = type->get<std::string>();
  }
  model.weightBytes = safetensorsBytes(*snapshot);
  if (const auto description = describeModel(*text, kConfigFile)) {
    model.supported = model.weightBytes > 0;
    model.layers = static_cast<int>(description->routers.size());
    model.experts = description->routers.empty() ? 0 : description->routers.front().experts;
  }
  return model;
}

}  // namespace

bool isCachedRepository(const std::string& folderName) { return folderName.starts_with(kRepositoryPrefix); }

std::string repositoryName(std::string folderName) {
  folderName.erase(0, kRepositoryPrefix.size());
  if (const auto at = folderName.find("--"); at != std::string::npos) folderName.replace(at, 2, "/");
  return folderName;
}

fs::path huggingFaceCacheFolder() {
  if (const char* cache = std::getenv("HF_HUB_CACHE"); cache != nullptr && *cache != '\0') return cache;
  if (const char* home = std::getenv("HF_HOME"); home != nullptr && *home != '\0')
    return fs::path(home) / "hub";
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0') {
    return fs::path(cache) / "huggingface" / "hub";
  }
  const char* home = std::getenv("HOME");
  return fs::path(home != nullptr ? home : ".") / ".cache" / "huggingface" / "hub";
}

std::vector<CachedModel> listHuggingFaceCache(const fs::path& folder) {
  std::vector<CachedModel> models;
  for (const auto& entry : entriesOf(folder)) {
    if (!isCachedRepository(entry.filename().string())) continue;
    if (auto model = readModel(entry)) models.push_back(*std::move(model));
  }
  std::sort(models.begin(), models.end(),
            [](const auto& a, const auto& b) { return a.repository < b.repository; });
  return models;
}

}  // namespace moescope::checkpoint
