// The files of a checkpoint folder: single safetensors file or shards with an index, never anything
// outside the folder. Not for what the tensors mean.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/mapped_file.h"
#include "core/base/result.h"
#include "core/checkpoint/tensor_view.h"

namespace moescope::checkpoint {

struct CheckpointFiles {
  std::vector<std::shared_ptr<const MappedFile>> files;
  std::vector<std::size_t> headerBytes;  ///< one a file
  std::map<std::string, TensorView> tensors;
  std::map<std::string, std::string> fileOfTensor;  ///< for messages
  std::string mainFile;                             ///< index or single file, for messages
  std::vector<std::vector<std::byte>> made;         ///< of tensors that are put together from others (GGUF)
};

/// model.safetensors if it is there, as transformers chooses, else the shards of the index.
/// Errors: `safetensors.*`, `index.*`, `file.*`.
Result<CheckpointFiles> openCheckpointFiles(const std::filesystem::path& folder);

/// What stands under a name in a checkpoint's folder, links followed.
enum class Presence {
  Absent,
  File,     ///< may be opened
  Other,    ///< a folder, a pipe or a device: opening it could block
  Outside,  ///< a link that leads out of the folder
};
Presence presence(const std::filesystem::path& folder, const std::string& name);

/// True if the real place of `file` lies in `folder`, or, for a Hugging Face snapshot, in its models--*
/// folder.
bool staysInside(const std::filesystem::path& folder, const std::filesystem::path& file);

}  // namespace moescope::checkpoint
