// ReferenceFile: the tensors of a reference for `verify`, checked against the model they are for.
// Not for checkpoints, and not for comparing.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/checkpoint/model_description.h"

namespace moescope::engine {

/// What the names of a router's tensors begin with: "router.3.", "attn_router.3.".
std::string referencePrefix(const RouterSpec& router);

class ReferenceFile {
 public:
  /// Errors: `safetensors.*`, `tensor.missing` (input_ids, logits), `tensor.wrong_shape`, `tensor.bad_value`
  /// (ids outside the vocabulary).
  static Result<ReferenceFile> open(const std::filesystem::path& path,
                                    const checkpoint::ModelDescription& description);

  [[nodiscard]] std::int64_t rows() const { return m_rows; }
  [[nodiscard]] std::int64_t tokens() const { return m_tokens; }
  [[nodiscard]] const std::vector<std::int32_t>& ids() const { return m_ids; }  ///< [rows, tokens]
  [[nodiscard]] const std::vector<std::int32_t>& greedyIds() const { return m_greedyIds; }
  /// [rows, tokens, columns]; null if the file does not have it.
  [[nodiscard]] const std::vector<float>* values(const std::string& name) const;
  /// Chosen experts [rows, tokens, topK]; null if the file does not have them.
  [[nodiscard]] const std::vector<std::int32_t>* choices(const RouterSpec& router) const;
  [[nodiscard]] const std::vector<std::string>& unknown() const { return m_unknown; }

 private:
  std::int64_t m_rows = 0;
  std::int64_t m_tokens = 0;
  std::vector<std::int32_t> m_ids, m_greedyIds;
  std::map<std::string, std::vector<float>> m_values;
  std::map<std::string, std::vector<std::int32_t>> m_choices;  ///< by name
  std::vector<std::string> m_unknown;
};

}  // namespace moescope::engine
