// Checkpoint: a model folder in the Hugging Face format, or a GGUF file, opened, checked and mapped.
// Not for running it; the engine borrows the views.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/mapped_file.h"
#include "core/base/result.h"
#include "core/checkpoint/model_description.h"
#include "core/checkpoint/tensor_view.h"
#include "core/checkpoint/weight_roles.h"

namespace moescope::checkpoint {

struct CheckpointFiles;
struct NameMap;
struct OwnTensor;

/// A view with exists() == false is a tensor that the family does not have.
using ExpertWeights = ExpertRoles<TensorView, TensorView>;
using MoeWeights = MoeRoles<TensorView, TensorView>;
using LayerWeights = LayerRoles<TensorView, TensorView>;
using ModelWeights = ModelRoles<TensorView, TensorView>;

/// Immutable after open; safe to read from any thread.
class Checkpoint {
 public:
  /// Opens a folder, a GGUF file, or a folder with one GGUF file and no safetensors, and enforces every rule
  /// of the format: headers, index, config, tensor names and shapes, finite router biases. Errors:
  /// `safetensors.*`, `index.*`, `gguf.*`, `tensor.*`, `config.*`, `file.*`. Nothing outside the folder is
  /// opened (Hugging Face snapshots may link into ../../blobs).
  /// The snapshots of a training may share config.json and the tokenizer's files: they are then read from
  /// `sharedFolder`.
  static Result<std::shared_ptr<const Checkpoint>> open(const std::filesystem::path& path,
                                                        const std::filesystem::path& sharedFolder = {},
                                                        Definition definition = Definition::Authors);

  [[nodiscard]] const std::filesystem::path& folder() const { return m_folder; }
  /// The GGUF file that holds the model; empty for a folder in the Hugging Face format.
  [[nodiscard]] const std::filesystem::path& ggufFile() const { return m_ggufFile; }
  /// Where config.json and the tokenizer's files are.
  [[nodiscard]] const std::filesystem::path& configFolder() const { return m_configFolder; }
  [[nodiscard]] std::string displayName()
      const;  ///< org/name for a cache entry, else the folder's or GGUF file's name
  [[nodiscard]] const ModelDescription& description() const { return m_description; }
  [[nodiscard]] const ModelWeights& weights() const { return m_weights; }
  [[nodiscard]] const std::map<std::string, TensorView>& tensors() const { return m_tensors; }
  [[nodiscard]] std::int64_t weightBytes() const;  ///< of all tensors in the files
  [[nodiscard]] std::map<std::string, std::int64_t> bytesByDType() const;
  [[nodiscard]] std::filesystem::path tokenizerFile() const { return m_configFolder / "tokenizer.json"; }
  /// Hex digest of the headers and of sampled bytes: tells whether a run was made with these weights.
  [[nodiscard]] const std::string& fingerprint() const { return m_fingerprint; }

 private:
  Checkpoint() = default;

  /// config.json, or the metadata of the GGUF file, then files and weights.
  Result<void> read(Definition definition);
  /// Takes over the files and gives the tensors their roles.
  Result<void> adopt(CheckpointFiles files, const NameMap& names, std::span<const OwnTensor> own = {},
                     std::span<const std::string> ignored = {});

  std::filesystem::path m_folder;
  std::filesystem::path m_configFolder;
  std::filesystem::path m_ggufFile;
  ModelDescription m_description;
  std::vector<std::shared_ptr<const MappedFile>> m_files;
  std::vector<std::vector<std::byte>> m_made;  ///< tensors that are put together from others
  std::map<std::string, TensorView> m_tensors;
  ModelWeights m_weights;
  std::string m_fingerprint;
};

}  // namespace moescope::checkpoint
