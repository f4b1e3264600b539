#include "core/checkpoint/checkpoint.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/checkpoint/adapter_check.h"
#include "core/checkpoint/checkpoint_files.h"
#include "core/checkpoint/family.h"
#include "core/checkpoint/fingerprint.h"
#include "core/checkpoint/gguf_model.h"
#include "core/checkpoint/hf_cache.h"
#include "core/checkpoint/model_adapter.h"
#include "core/checkpoint/weight_map.h"

namespace moescope::checkpoint {

namespace {

constexpr std::size_t kMaxConfigBytes = 16u << 20;
constexpr auto kConfigFile = "config.json";
constexpr auto kGenerationConfigFile = "generation_config.json";

/// The small files beside the weights may not lead out of the folder, so that
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
  return {};
}

Result<void> requireConfig(const std::filesystem::path& folder) {
  if (presence(folder, kConfigFile) == Presence::Absent) {
    return fail("config.missing", folder.string(), kConfigFile, "the folder has no config.json",
                "choose a checkpoint folder in the Hugging Face format, or a GGUF file");
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const Checkpoint>> Checkpoint::open(const std::filesystem::path& path,
                                                           const std::filesystem::path& sharedFolder,
                                                           Definition definition) {
  std::error_code ignored;
  auto opened = std::shared_ptr<Checkpoint>(new Checkpoint);
  if (std::filesystem::is_directory(path, ignored)) {
    auto gguf = ggufFileIn(path);
    if (!gguf) return fail(gguf.error());
    opened->m_folder = path;
    opened->m_ggufFile = *std::move(gguf);
  } else if (isGgufPath(path) && std::filesystem::exists(path, ignored)) {
    opened->m_folder = path.has_parent_path() ? path.parent_path() : ".";
    opened->m_ggufFile = path;
  } else {
    return fail("file.not_found", path.string(), "", "there is no such folder or GGUF file",
                "check the path");
  }
  opened->m_configFolder = sharedFolder.empty() ? opened->m_folder : sharedFolder;
  if (auto read = opened->read(definition); !read) return fail(read.error());
  return std::shared_ptr<const Checkpoint>(std::move(opened));
}

Result<void> Checkpoint::read(Definition definition) {
  if (auto usable = checkSmallFiles(m_configFolder); !usable) return fail(usable.error());
  if (!m_ggufFile.empty()) {
    auto model = openGgufModel(m_ggufFile, definition);
    if (!model) return fail(model.error());
    m_description = std::move(model->description);
    return adopt(std::move(model->files), *model->names);
  }
  if (auto usable = requireConfig(m_configFolder); !usable) return fail(usable.error());
  const auto config = readTextFile(m_configFolder / kConfigFile, kMaxConfigBytes);
  if (!config) return fail(config.error());
  const auto generation = readTextFile(m_configFolder / kGenerationConfigFile, kMaxConfigBytes);
  auto description =
      describeModel(*config, kConfigFile, generation ? *generation : std::string(), definition);
  if (!description) return fail(description.error());
  m_description = *std::move(description);
  auto files = openCheckpointFiles(m_folder);
  if (!files) return fail(files.error());
  if (m_description.adapter == nullptr)
    return adopt(*std::move(files), *findFamily(m_description.family)->names);
  auto needs = m_description.adapter->needs(m_description);
  if (!needs) return fail(needs.error());
  if (auto checked = checkNeeds(*needs, m_description); !checked) return fail(checked.error());
  return adopt(*std::move(files), needs->names, needs->own, needs->ignored);
}

Result<void> Checkpoint::adopt(CheckpointFiles files, const NameMap& names, std::span<const OwnTensor> own,
                               std::span<const std::string> ignored) {
  auto weights = mapWeights(files, names, m_description, own, ignored);
  if (!weights) return fail(weights.error());
  m_weights = *std::move(weights);
  m_fingerprint = fingerprintOf(files);
  m_tensors = std::move(files.tensors);
  m_files = std::move(files.files);
  m_made = std::move(files.made);
  return {};
}

std::string Checkpoint::displayName() const {
  std::error_code ignored;
  const auto path = std::filesystem::weakly_canonical(m_folder, ignored);
  const auto snapshots = path.parent_path();
  const std::string repository = snapshots.parent_path().filename().string();
  if (snapshots.filename() == "snapshots" && isCachedRepository(repository))
    return repositoryName(repository);
  // "demo/model" says more than "model", "trajectory/step-000512" more than its last part.
  const std::string own = (m_ggufFile.empty() ? path : m_ggufFile).filename().string();
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
