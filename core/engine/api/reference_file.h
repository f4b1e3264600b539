// ReferenceFile: the tensors of a reference for `verify`, checked against the model they are for.
// Not for checkpoints, and not for comparing.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/checkpoint/model_description.h"
#include "core/checkpoint/tensor_view.h"

namespace moescope::engine {

/// What the names of a router's tensors begin with: "router.3.", "attn_router.3.", "router.encoder.3.".
std::string referencePrefix(const RouterSpec& router);
/// "hidden.3", "hidden.decoder.0".
std::string hiddenName(int layer, const checkpoint::ModelDescription& description);

class ReferenceFile {
 public:
  /// Errors: `safetensors.*`, `tensor.missing` (input_ids, logits, decoder_input_ids of encoder-decoders),
  /// `tensor.wrong_shape`, `tensor.bad_value`
  /// (ids outside the vocabulary).
  static Result<ReferenceFile> open(const std::filesystem::path& path,
                                    const checkpoint::ModelDescription& description);

  [[nodiscard]] std::int64_t rows() const { return m_rows; }
  [[nodiscard]] std::int64_t tokens() const { return m_tokens; }
  [[nodiscard]] const std::vector<std::int32_t>& ids() const { return m_ids; }  ///< [rows, tokens]
  /// Of encoder-decoders, whose `ids` are the encoder's: [rows, decoderTokens].
  [[nodiscard]] const std::vector<std::int32_t>& decoderIds() const { return m_decoderIds; }
  [[nodiscard]] std::int64_t decoderTokens() const { return m_decoderTokens; }
  [[nodiscard]] const std::vector<std::int32_t>& greedyIds() const { return m_greedyIds; }
  /// [rows, tokens of its part, columns]; null if the file does not have it.
  [[nodiscard]] const std::vector<float>* values(const std::string& name) const;
  /// Chosen experts [rows, tokens, topK]; null if the file does not have them. Where the file says which were
  /// dropped ("dropped", 0 or 1 a choice) they stand here all the same, else they are -1.
  [[nodiscard]] const std::vector<std::int32_t>* choices(const RouterSpec& router) const;
  [[nodiscard]] const std::vector<std::string>& unknown() const { return m_unknown; }

 private:
  Result<void> read(const checkpoint::TensorView& view, const checkpoint::ModelDescription& description,
                    const std::string& file);

  std::int64_t m_rows = 0;
  std::int64_t m_tokens = 0, m_decoderTokens = 0;
  std::vector<std::int32_t> m_ids, m_decoderIds, m_greedyIds;
  std::map<std::string, std::vector<float>> m_values;
  std::map<std::string, std::vector<std::int32_t>> m_choices;  ///< by name
  std::vector<std::string> m_unknown;
};

}  // namespace moescope::engine
