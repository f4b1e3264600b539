// The forward pass of switch_transformers: that of encoder-decoders with T5's relative position biases.
// Not how the model is read (switch_adapter.h).
#pragma once

#include <string>
#include <vector>

#include "core/engine/api/encoder_decoder.h"

namespace moescope::switch_transformers {

/// What config.json says beyond the switches.
struct Layout : checkpoint::AdapterData {
  int buckets = 32, maxDistance = 128;

  static const Layout& of(const checkpoint::ModelDescription& description) {
    return static_cast<const Layout&>(*description.adapterData);
  }
};

inline constexpr const char* kEncoderNorm = "encoder.final_layer_norm.weight";
inline constexpr const char* kDecoderNorm = "decoder.final_layer_norm.weight";

/// Of one layer, on disk. Names of attentions end before "q.weight", those of MLPs before "wi.weight".
struct LayerNames {
  LayerNames(int layer, int encoderLayers);
  [[nodiscard]] std::string positionBias() const { return self + "relative_attention_bias.weight"; }
  /// Of an expert; -1: of a dense layer.
  [[nodiscard]] std::string mlp(int expert) const;

  bool isDecoder;
  int number;  ///< in its part
  std::string selfNorm, self, crossNorm, cross, feedForwardNorm, router, mlpPrefix;
};

/// The bucket of a key that stands `distance` after the query (Raffel et al. 2020, as T5's code has it): near
/// ones have one each, far ones share them on a logarithmic scale; with `isBothSides` half of them lie ahead.
int positionBucket(std::int64_t distance, bool isBothSides, int buckets, int maxDistance);

class SwitchForward final : public engine::EncoderDecoderForward {
 public:
  SwitchForward(engine::ForwardKit& kit, engine::EncoderDecoderCaches caches);

 protected:
  [[nodiscard]] const float* positionBias(bool isDecoder, int head, std::int64_t position) const override;

 private:
  std::int64_t m_capacity;
  /// [heads, 2 capacity - 1] and [heads, capacity]: a bias a distance, ascending from -(capacity - 1).
  std::vector<float> m_encoderBias, m_decoderBias;
};

}  // namespace moescope::switch_transformers
