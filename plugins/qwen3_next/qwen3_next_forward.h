// The forward pass of qwen3_next: DeltaNet or output-gated attention, then experts with a gated shared one.
// Not how the model is read (qwen3_next_adapter.h), nor DeltaNet itself (delta_net.h).
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "plugins/qwen3_next/delta_net.h"

namespace moescope::qwen3_next {

/// Of one layer, on disk; the second part of attention layers alone.
struct LayerNames {
  explicit LayerNames(int layer);
  std::string inputNorm, feedForwardNorm;  ///< [hidden]
  std::string query;                       ///< [heads * 2 * headDim, hidden]: query and gate of each head
  std::string key, value;                  ///< [keyValueHeads * headDim, hidden]
  std::string output;                      ///< [hidden, heads * headDim]
  std::string queryNorm, keyNorm;          ///< [headDim]
};
/// Of a projection: "x.weight" to "x.bias".
std::string biasName(const std::string& weight);

/// What config.json says beyond the description's switches.
struct Layout : checkpoint::AdapterData {
  DeltaNetShape deltaNet;
  std::vector<bool> isLinear;  ///< [layers]

  /// Made when the model was described.
  static const Layout& of(const checkpoint::ModelDescription& description) {
    return static_cast<const Layout&>(*description.adapterData);
  }
  [[nodiscard]] int linearLayers() const {
    return static_cast<int>(std::count(isLinear.begin(), isLinear.end(), true));
  }
};

checkpoint::AttentionShape cacheShape(const checkpoint::ModelDescription& description);

class Qwen3NextForward final : public engine::ModelForward {
 public:
  Qwen3NextForward(engine::ForwardKit& kit, std::unique_ptr<engine::AttentionCache> cache);

  Result<void> forward(const engine::ForwardBlock& block) override;
  void copyFrom(const engine::ModelForward& other, std::int64_t position) override;

 private:
  struct Projection {
    engine::KitMatrix matrix;
    const std::vector<float>* bias = nullptr;
  };
  struct Attention {
    int cacheLayer = 0;
    Projection query, key, value, output;
    std::vector<float> queryNorm, keyNorm;
  };
  struct Layer {
    std::vector<float> inputNorm, feedForwardNorm;
    std::optional<DeltaNetLayer> deltaNet;
    std::optional<Attention> attention;
  };
  [[nodiscard]] Attention attentionOf(int layer, int cacheLayer) const;
  void project(const Projection& projection, const engine::TokenRows& from, const engine::TokenRows& to,
               int tokens);
  void attend(const Attention& attention, const engine::ForwardBlock& block);
  void normalise(const std::vector<float>& weight, int tokens);
  void addUpdate(int tokens);

  engine::ForwardKit& m_kit;
  std::unique_ptr<engine::AttentionCache> m_cache;
  std::vector<Layer> m_layers;
  std::vector<float> m_finalNorm;
  engine::TokenRows m_stream, m_normed, m_update;  ///< [tokens, hidden]
  engine::TokenRows m_gatedQuery;                  ///< [tokens, heads * 2 * headDim]
  engine::TokenRows m_query, m_mixed;              ///< [tokens, heads * headDim]
  engine::TokenRows m_key, m_value;                ///< [tokens, keyValueHeads * headDim]
  DeltaNetLayer::Scratch m_scratch;
};

}  // namespace moescope::qwen3_next
