#include "core/checkpoint/hf_cache.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "core/base/mapped_file.h"
#include "core/base/strict_json.h"
#include "core/checkpoint/model_description.h"

namespace moescope::checkpoint {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxConfigBytes = 16u << 20;
constexpr std::size_t kMaxRefBytes = 256;
constexpr std::string_view kRepositoryPrefix = "models--";

std::string repositoryName(std::string folder) {
  folder.erase(0, kRepositoryPrefix.size());
  if (const auto at = folder.find("--"); at != std::string::npos) folder.replace(at, 2, "/");
  return folder;
}

std::optional<fs::path> chosenSnapshot(const fs::path& repository) {
  std::error_code error;
  if (auto ref = readTextFile(repository / "refs" / "main", kMaxRefBytes)) {
    ref->erase(ref->find_last_not_of(" \n\r\t") + 1);
    const bool plain = !ref->empty() && ref->find('/') == std::string::npos && *ref != "..";
    if (plain && fs::exists(repository / "snapshots" / *ref / "config.json", error)) return repository / "snapshots" / *ref;
  }
  std::optional<fs::path> newest;
  fs::file_time_type newestTime{};
  for (const auto& entry : fs::directory_iterator(repository / "snapshots", error)) {
    if (!fs::exists(entry.path() / "config.json", error)) continue;
    const auto time = fs::last_write_time(entry.path(), error);
    if (!newest || time > newestTime) {
      newest = entry.path();
      newestTime = time;
    }
  }
  return newest;
}

std::int64_t safetensorsBytes(const fs::path& snapshot) {
  std::error_code error;
  std::int64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(snapshot, error)) {
    if (entry.path().extension() != ".safetensors") continue;
    const auto size = fs::file_size(entry.path(), error);
    if (!error) bytes += static_cast<std::int64_t>(size);
  }
  return bytes;
}

std::optional<CachedModel> readModel(const fs::path& repository) {
  const auto snapshot = chosenSnapshot(repository);
  if (!snapshot) return std::nullopt;
  const auto text = readTextFile(*snapshot / "config.json", kMaxConfigBytes);
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
  if (const auto description = describeModel(*text, "config.json")) {
    model.supported = model.weightBytes > 0;
    model.layers = static_cast<int>(description->routers.size());
    model.experts = description->routers.empty() ? 0 : description->routers.front().experts;
  }
  return model;
}

}  // namespace

fs::path huggingFaceCacheFolder() {
  if (const char* cache = std::getenv("HF_HUB_CACHE"); cache != nullptr && *cache != '\0') return cache;
  if (const char* home = std::getenv("HF_HOME"); home != nullptr && *home != '\0') return fs::path(home) / "hub";
  const char* home = std::getenv("HOME");
  return fs::path(home != nullptr ? home : ".") / ".cache" / "huggingface" / "hub";
}

std::vector<CachedModel> listHuggingFaceCache(const fs::path& folder) {
  std::vector<CachedModel> models;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (!entry.path().filename().string().starts_with(kRepositoryPrefix)) continue;
    if (auto model = readModel(entry.path())) models.push_back(*std::move(model));
  }
  std::sort(models.begin(), models.end(), [](const auto& a, const auto& b) { return a.repository < b.repository; });
  return models;
}

}  // namespace moescope::checkpoint
