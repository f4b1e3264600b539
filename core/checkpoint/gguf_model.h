// A GGUF file as the files of a checkpoint: its tensors under the names and in the shapes that the name map
// knows, with the description of the model. Not for reading the container (gguf_file.h).
#pragma once

#include <filesystem>
#include <string>

#include "core/base/result.h"
#include "core/checkpoint/checkpoint_files.h"
#include "core/checkpoint/family.h"

namespace moescope::checkpoint {

struct GgufModel {
  CheckpointFiles files;
  ModelDescription description;
  const NameMap* names = nullptr;
};

/// True for a name that ends in .gguf.
bool isGgufPath(const std::filesystem::path& path);

/// Errors: `gguf.*`, `config.*`, `file.*`.
Result<GgufModel> openGgufModel(const std::filesystem::path& path, Definition definition);

/// The only .gguf file of a folder without safetensors files; empty if it holds none or safetensors as well.
/// Errors: `gguf.several`.
Result<std::filesystem::path> ggufFileIn(const std::filesystem::path& folder);

}  // namespace moescope::checkpoint
