// The forward pass of minimax: lightning or softmax attention, then experts; what is carried on beside a
// sublayer is its normed input.
// Not how the model is read (minimax_adapter.h), nor lightning attention itself (lightning_attention.h).
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "plugins/minimax/lightning_attention.h"

namespace moescope::minimax {

/// h = alpha * normed + beta * sublayer(normed).
struct Residual {
  float alpha = 1.0F, beta = 1.0F;
};

/// What config.json says beyond the description's switches.
struct Layout : checkpoint::AdapterData {
  std::vector<bool> isLinear;  ///< [layers]
  Residual fullAttention, linearAttention, mlp;

  /// Made when the model was described.
  static const Layout& of(const checkpoint::ModelDescription& description) {
    return static_cast<const Layout&>(*description.adapterData);
  }
  [[nodiscard]] int fullLayers() const {
    return static_cast<int>(std::count(isLinear.begin(), isLinear.end(), false));
  }
};

checkpoint::AttentionShape cacheShape(const checkpoint::ModelDescription& description);

class MiniMaxForward final : public engine::ModelForward {
 public:
  MiniMaxForward(engine::ForwardKit& kit, std::unique_ptr<engine::AttentionCache> cache);

  Result<void> forward(const engine::ForwardBlock& block) override;
  void copyFrom(const engine::ModelForward& other, std::int64_t position) override;

 private:
  struct Attention {
    int cacheLayer = 0;
    engine::KitMatrix query, key, value, output;
  };
  struct Layer {
    const std::vector<float>&inputNorm, &feedForwardNorm;
    std::optional<LightningAttention> lightning;
    std::optional<Attention> attention;
  };
  void attend(int layer, const engine::ForwardBlock& block);
  void normalise(const std::vector<float>& weight, int tokens);
  void combine(const Residual& residual, int tokens);

  engine::ForwardKit& m_kit;
  const Layout& m_layout;
  std::unique_ptr<engine::AttentionCache> m_cache;
  std::vector<Layer> m_layers;
  const std::vector<float>& m_finalNorm;
  engine::TokenRows m_stream, m_normed, m_update;  ///< [tokens, hidden]
  engine::TokenRows m_query, m_mixed;              ///< [tokens, heads * headDim]
  engine::TokenRows m_key, m_value;                ///< [tokens, keyValueHeads * headDim]
  LightningAttention::Scratch m_scratch;
};

}  // namespace moescope::minimax
