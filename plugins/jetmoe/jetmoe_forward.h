// The forward pass of jetmoe (Shen et al. 2024, section 2): mixture of attention heads, then mixture of MLPs.
// Not how the model is read (jetmoe_adapter.h).
#pragma once

#include <string>
#include <vector>

#include "core/engine/api/forward_kit.h"

namespace moescope::jetmoe {

/// Of one layer, on disk.
struct LayerNames {
  explicit LayerNames(int layer);
  std::string inputNorm, feedForwardNorm;  ///< [hidden]
  std::string keyValue;                    ///< [2 * width, hidden]: keys, then values
  std::string router;                      ///< [experts, hidden], of the attention
  std::string queries;                     ///< [experts, width, hidden]
  std::string outputs;                     ///< [experts, hidden, width]
  std::string attentionBias, mlpBias;      ///< [hidden], added to what the experts give
};

checkpoint::AttentionShape cacheShape(const checkpoint::ModelDescription& description);

class JetMoeForward final : public engine::ModelForward {
 public:
  JetMoeForward(engine::ForwardKit& kit, std::unique_ptr<engine::AttentionCache> cache);

  Result<void> forward(const engine::ForwardBlock& block) override;
  void copyFrom(const engine::ModelForward& other, std::int64_t position) override;

 private:
  struct Layer {
    const std::vector<float>&inputNorm, &feedForwardNorm, &attentionBias, &mlpBias;
    engine::KitMatrix keyValue, router;
    std::vector<engine::KitMatrix> queries, outputs;  ///< an expert each
  };
  /// m_normed to m_update.
  Result<void> attention(int layer, const engine::ForwardBlock& block);
  void storeKeysAndValues(int layer, const engine::ForwardBlock& block);
  void normalise(const std::vector<float>& weight, double eps, int tokens);
  void addUpdate(const std::vector<float>& bias, int tokens);

  engine::ForwardKit& m_kit;
  std::unique_ptr<engine::AttentionCache> m_cache;
  std::vector<Layer> m_layers;
  const std::vector<float>& m_finalNorm;
  engine::TokenRows m_stream, m_normed, m_update;  ///< [tokens, hidden]
  engine::TokenRows m_keyValue;                    ///< [tokens, 2 * width]
  engine::TokenRows m_queries, m_mixed;            ///< [tokens * choices, width]
  std::vector<engine::AttentionQuery> m_jobs;
};

}  // namespace moescope::jetmoe
