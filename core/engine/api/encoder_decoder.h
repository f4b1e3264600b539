// EncoderDecoderForward: the pass that encoder-decoder families share: an encoder that sees its input from
// both sides, a decoder that looks at it, MLPs or experts of two matrices with a rectifier between them.
// Not for positions (each family's own) and not for reading configurations.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/engine/api/forward_kit.h"

namespace moescope::engine {

/// y = matrix * x, plus a bias where there is one.
struct Projection {
  KitMatrix matrix;
  const std::vector<float>* bias = nullptr;
};

/// LayerNorm where there is a bias, else RMS.
struct NormWeights {
  const std::vector<float>* weight = nullptr;
  const std::vector<float>* bias = nullptr;
};

struct AttentionWeights {
  NormWeights norm;
  Projection query, key, value, output;
};

/// outer(max(inner x, 0)); one of a dense layer, one an expert of a layer with a router.
struct MlpWeights {
  Projection inner, outer;
};

struct CoderLayer {
  AttentionWeights self;
  std::optional<AttentionWeights> cross;  ///< of the decoder
  NormWeights feedForwardNorm;
  Projection router;             ///< without a matrix: a dense layer
  std::vector<MlpWeights> mlps;  ///< one, or one an expert
};

struct EncoderDecoderWeights {
  std::vector<CoderLayer> layers;  ///< the encoder's, then the decoder's
  NormWeights encoderNorm, decoderNorm;
};

/// What a sequence keeps: keys and values of the encoder's layer at hand, of the decoder's own tokens, and of
/// the encoder's output for every decoder layer.
std::vector<checkpoint::AttentionShape> encoderDecoderCaches(const checkpoint::ModelDescription& description);

struct EncoderDecoderCaches {
  std::unique_ptr<AttentionCache> encoder, decoder, cross;
  /// Errors: `machine.out_of_memory`.
  static Result<EncoderDecoderCaches> create(ForwardKit& kit);
};

class EncoderDecoderForward : public ModelForward {
 public:
  EncoderDecoderForward(ForwardKit& kit, EncoderDecoderWeights weights, EncoderDecoderCaches caches);

  Result<void> forward(const ForwardBlock& block) override;
  void copyFrom(const ModelForward& other, std::int64_t position) override;

 protected:
  /// Adds to an embedding what says where its token stands; `position` counts from 0 in each part.
  virtual void addPosition(std::int64_t position, float* embedding) const;
  /// AttentionQuery::bias of a head's query at `position` of its part, for self-attention; null: none.
  [[nodiscard]] virtual const float* positionBias(bool isDecoder, int head, std::int64_t position) const;

 private:
  void normalise(const NormWeights& norm, int tokens);
  void project(const Projection& projection, const TokenRows& from, const TokenRows& to, int tokens);
  void addUpdate(int tokens);
  void store(AttentionCache& cache, int layer, std::int64_t position, int tokens);
  void selfAttention(int layer, const ForwardBlock& block);
  void crossAttention(int layer, int tokens);
  void finishSource(int tokens);
  void rectify(const std::vector<float>* bias, float* row) const;
  Result<void> feedForward(int layer, int tokens);
  Result<void> runExperts(const CoderLayer& layer, int router, int tokens);

  ForwardKit& m_kit;
  EncoderDecoderWeights m_weights;
  EncoderDecoderCaches m_caches;
  int m_encoderLayers;
  std::int64_t m_sourceLength = 0;
  TokenRows m_stream, m_normed, m_update;      ///< [tokens, hidden]
  TokenRows m_query, m_key, m_value, m_mixed;  ///< [tokens, heads * headDim]
  TokenRows m_inner;                           ///< [tokens or choices, width of an MLP]
  std::vector<AttentionQuery> m_jobs;
  std::vector<std::vector<KitMatrix>> m_innerMatrices, m_outerMatrices;  ///< [layers][experts]
};

}  // namespace moescope::engine
