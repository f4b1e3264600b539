// What a Hugging Face cache folder holds, from configs and file sizes only. Not a downloader.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace moescope::checkpoint {

struct CachedModel {
  std::string repository;          ///< "allenai/OLMoE-1B-7B-0924"
  std::filesystem::path snapshot;  ///< folder to open
  std::string revision;
  std::string family;  ///< model_type; empty if config.json says none
  bool supported = false;
  std::int64_t weightBytes = 0;  ///< of its safetensors files
  int layers = 0, experts = 0;   ///< only if supported
};

/// True for a repository's folder in the cache: "models--org--name".
bool isCachedRepository(const std::string& folderName);
/// "org/name" for it.
std::string repositoryName(std::string folderName);

/// $HF_HUB_CACHE, else $HF_HOME/hub, else huggingface/hub in $XDG_CACHE_HOME or ~/.cache.
std::filesystem::path huggingFaceCacheFolder();

/// One entry a repository with a config.json: the revision of refs/main, else the newest snapshot. Entries
/// that cannot be read are left out. Sorted by name.
std::vector<CachedModel> listHuggingFaceCache(const std::filesystem::path& folder);

}  // namespace moescope::checkpoint
