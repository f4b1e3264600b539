// The forward pass of nllb_moe: that of encoder-decoders with sinusoidal positions and biases everywhere.
// Not how the model is read (nllb_adapter.h).
#pragma once

#include <string>
#include <vector>

#include "core/engine/api/encoder_decoder.h"

namespace moescope::nllb_moe {

/// What config.json says beyond the switches.
struct Layout : checkpoint::AdapterData {
  int padding = 1;  ///< id of the padding token; positions are counted from the number after it

  static const Layout& of(const checkpoint::ModelDescription& description) {
    return static_cast<const Layout&>(*description.adapterData);
  }
};

// On disk, without ".weight" and ".bias".
inline constexpr const char* kEncoderNorm = "model.encoder.layer_norm";
inline constexpr const char* kDecoderNorm = "model.decoder.layer_norm";

struct AttentionNames {
  std::string norm, query, key, value, output;
};

/// Of one layer.
struct LayerNames {
  LayerNames(int layer, int encoderLayers);
  /// Of an expert, -1: of a dense layer; ends before "fc1".
  [[nodiscard]] std::string mlp(int expert) const;

  bool isDecoder;
  AttentionNames self, cross;
  std::string feedForwardNorm, router, mlpPrefix;
};

class NllbForward final : public engine::EncoderDecoderForward {
 public:
  NllbForward(engine::ForwardKit& kit, engine::EncoderDecoderCaches caches);

 protected:
  /// Sines in the first half of the channels, cosines in the second (Vaswani et al. 2017, as fairseq has it).
  void addPosition(std::int64_t position, float* embedding) const override;

 private:
  std::int64_t m_first;              ///< position of a part's first token
  std::vector<float> m_frequencies;  ///< [hidden / 2]
};

}  // namespace moescope::nllb_moe
