#include "core/checkpoint/checkpoint.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/checkpoint/checkpoint_files.h"
#include "core/checkpoint/family.h"
#include "core/checkpoint/fingerprint.h"
#include "core/checkpoint/hf_cache.h"
#include "core/checkpoint/weight_map.h"

namespace moescope::checkpoint {

namespace {

constexpr std::size_t kMaxConfigBytes = 16u << 20;
constexpr auto kConfigFile = "config.json";
constexpr auto kGenerationConfigFile = "generation_config.json";

/// config.json must be there; this and the small files beside it may not lead out of the folder, so that
/// whoever reads them later need not ask again.
Result<void> checkSmallFiles(const std::filesystem::path& folder) {
  for (const char* name : {kConfigFile, kGenerationConfigFile, "tokenizer.json", "tokenizer_config.json",
                           "special_tokens_map.json", "chat_template.jinja"}) {
    switch (presence(folder, name)) {
      case Presence::File:
      case Presence::Absent: break;
      case Presence::Outside:
        return fail("config.path_escape", name, "", "is a link that leads out of the checkpoint's folder",
                    "copy the file into the folder");
      case Presence::Other:
        return fail("file.unreadable", name, "", "is not a file", "fetch the folder again");
    }
  }
  if (presence(folder, kConfigFile) == Presence::Absent) {
    return fail("config.missing", folder.string(), kConfigFile, "the folder has no config.json",
                "choose a checkpoint folder in the Hugging Face format");
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const Checkpoint>> Checkpoint::open(const std::filesystem::path& folder,
                                                           const std::filesystem::path& sharedFolder,
                                                           Definition definition) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    return fail("file.not_found", folder.string(), "", "there is no such folder", "check the path");
  }
  const std::filesystem::path& configFolder = sharedFolder.empty() ? folder : sharedFolder;
  if (auto usable = checkSmallFiles(configFolder); !usable) return fail(usable.error());
  const auto config = readTextFile(configFolder / kConfigFile, kMaxConfigBytes);
  if (!config) return fail(config.error());
  const auto generation = readTextFile(configFolder / kGenerationConfigFile, kMaxConfigBytes);

  auto opened = std::shared_ptr<Checkpoint>(new Checkpoint);
  opened->m_folder = folder;
  opened->m_configFolder = configFolder;
  auto description =
      describeModel(*config, kConfigFile, generation ? *generation : std::string(), definition);
  if (!description) return fail(description.error());
  opened->m_description = *std::move(description);
  auto files = openCheckpointFiles(folder);
  if (!files) return fail(files.error());
  auto weights = mapWeights(*files, *findFamily(opened->m_description.family)->names, opened->m_description);
  if (!weights) return fail(weights.error());
  opened->m_weights = *std::move(weights);
  opened->m_fingerprint = fingerprintOf(*files);
  opened->m_tensors = std::move(files->tensors);
  opened->m_files = std::move(files->files);
  return std::shared_ptr<const Checkpoint>(std::move(opened));
}

std::string Checkpoint::displayName() const {
  std::error_code ignored;
  const auto path = std::filesystem::weakly_canonical(m_folder, ignored);
  const auto snapshots = path.parent_path();
  const std::string repository = snapshots.parent_path().filename().string();
  if (snapshots.filename() == "snapshots" && isCachedRepository(repository))
    return repositoryName(repository);
  // "demo/model" says more than "model", "trajectory/step-000512" more than its last part.
  const std::string own = path.filename().string();
  return own == "model" || m_configFolder != m_folder ? path.parent_path().filename().string() + "/" + own
                                                      : own;
}

std::int64_t Checkpoint::weightBytes() const {
  std::int64_t bytes = 0;
  for (const auto& [dtype, count] : bytesByDType()) bytes += count;
  return bytes;
}

std::map<std::string, std::int64_t> Checkpoint::bytesByDType() const {
  std::map<std::string, std::int64_t> bytes;
  for (const auto& [tensorName, tensor] : m_tensors) {
    bytes[std::string(name(tensor.dtype))] += static_cast<std::int64_t>(tensor.bytes.size());
  }
  return bytes;
}

}  // namespace moescope::checkpoint
