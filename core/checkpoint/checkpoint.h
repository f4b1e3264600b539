// Checkpoint: a model folder in the Hugging Face format, opened, checked and mapped.
// Not for running it; the engine borrows the views.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/mapped_file.h"
#include "core/base/result.h"
#include "core/checkpoint/model_description.h"
#include "core/checkpoint/tensor_view.h"
#include "core/checkpoint/weight_roles.h"

namespace moescope::checkpoint {

/// A view with exists() == false is a tensor that the family does not have.
using ExpertWeights = ExpertRoles<TensorView, TensorView>;
using MoeWeights = MoeRoles<TensorView, TensorView>;
using LayerWeights = LayerRoles<TensorView, TensorView>;
using ModelWeights = ModelRoles<TensorView, TensorView>;

/// Immutable after open; safe to read from any thread.
class Checkpoint {
 public:
  /// Opens a folder and enforces every rule of the format: headers, index, config, tensor names and
  /// shapes, finite router biases. Errors: `safetensors.*`, `index.*`, `tensor.*`, `config.*`,
  /// `file.*`. Nothing outside the folder is opened (Hugging Face snapshots may link into ../../blobs).
  /// The snapshots of a training may share config.json and the tokenizer's files: they are then read from
  /// `sharedFolder`.
  static Result<std::shared_ptr<const Checkpoint>> open(const std::filesystem::path& folder,
                                                        const std::filesystem::path& sharedFolder = {},
                                                        Definition definition = Definition::Authors);

  [[nodiscard]] const std::filesystem::path& folder() const { return m_folder; }
  /// Where config.json and the tokenizer's files are.
  [[nodiscard]] const std::filesystem::path& configFolder() const { return m_configFolder; }
  [[nodiscard]] std::string displayName() const;  ///< org/name for a cache entry, else the folder's name
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

  std::filesystem::path m_folder;
  std::filesystem::path m_configFolder;
  ModelDescription m_description;
  std::vector<std::shared_ptr<const MappedFile>> m_files;
  std::map<std::string, TensorView> m_tensors;
  ModelWeights m_weights;
  std::string m_fingerprint;
};

}  // namespace moescope::checkpoint
