#include "core/engine/api/encoder_decoder.h"

#include <algorithm>

namespace moescope::engine {

namespace {

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

std::size_t hiddenOf(const ForwardKit& kit) { return size(kit.description().hiddenSize); }

std::size_t widthOf(const ForwardKit& kit) {
  const auto& attention = kit.description().attention;
  return size(std::int64_t{attention.heads} * attention.headDim);
}

checkpoint::AttentionShape cacheShape(const checkpoint::ModelDescription& d, int layers) {
  return {layers, d.attention.heads, d.attention.headDim, d.attention.headDim};
}

}  // namespace

std::vector<checkpoint::AttentionShape> encoderDecoderCaches(const checkpoint::ModelDescription& d) {
  const int decoderLayers = d.layers - d.encoder->layers;
  return {cacheShape(d, 1), cacheShape(d, decoderLayers), cacheShape(d, decoderLayers)};
}

Result<EncoderDecoderCaches> EncoderDecoderCaches::create(ForwardKit& kit) {
  EncoderDecoderCaches caches;
  const auto shapes = encoderDecoderCaches(kit.description());
  std::size_t next = 0;
  for (auto* cache : {&caches.encoder, &caches.decoder, &caches.cross}) {
    auto made = kit.newCache(shapes[next++]);
    if (!made) return fail(std::move(made).error());
    *cache = *std::move(made);
  }
  return caches;
}

EncoderDecoderForward::EncoderDecoderForward(ForwardKit& kit, EncoderDecoderWeights weights,
                                             EncoderDecoderCaches caches)
    : m_kit(kit),
      m_weights(std::move(weights)),
      m_caches(std::move(caches)),
      m_encoderLayers(kit.description().encoder->layers),
      m_stream(kPrefillBlock, hiddenOf(kit)),
      m_normed(kPrefillBlock, hiddenOf(kit)),
      m_update(kPrefillBlock, hiddenOf(kit)),
      m_query(kPrefillBlock, widthOf(kit)),
      m_key(kPrefillBlock, widthOf(kit)),
      m_value(kPrefillBlock, widthOf(kit)),
      m_mixed(kPrefillBlock, widthOf(kit)),
      m_inner(kPrefillBlock, size(kit.description().experts.intermediateSize)) {
  for (const CoderLayer& layer : m_weights.layers) {
    auto& inner = m_innerMatrices.emplace_back();
    auto& outer = m_outerMatrices.emplace_back();
    for (const MlpWeights& mlp : layer.mlps) {
      inner.push_back(mlp.inner.matrix);
      outer.push_back(mlp.outer.matrix);
    }
  }
}

void EncoderDecoderForward::addPosition(std::int64_t, float*) const {}

const float* EncoderDecoderForward::positionBias(bool, int, std::int64_t) const { return nullptr; }

void EncoderDecoderForward::normalise(const NormWeights& norm, int tokens) {
  const double eps = m_kit.description().normEps;
  for (std::size_t t = 0; t < size(tokens); ++t) {
    if (norm.bias == nullptr) {
      m_kit.rmsNorm(m_stream.row(t), *norm.weight, eps, m_normed.row(t));
    } else {
      m_kit.layerNorm(m_stream.row(t), *norm.weight, *norm.bias, eps, m_normed.row(t));
    }
  }
}

void EncoderDecoderForward::project(const Projection& projection, const TokenRows& from, const TokenRows& to,
                                    int tokens) {
  m_kit.multiply(projection.matrix, from, to, tokens);
  if (projection.bias == nullptr) return;
  for (std::size_t t = 0; t < size(tokens); ++t)
    m_kit.add(to.row(t), projection.bias->data(), projection.matrix.rows);
}

void EncoderDecoderForward::addUpdate(int tokens) {
  for (std::size_t t = 0; t < size(tokens); ++t)
    m_kit.add(m_stream.row(t), m_update.row(t), m_stream.columns());
}

/// m_key and m_value of the block's tokens, the first of which stands at `position`.
void EncoderDecoderForward::store(AttentionCache& cache, int layer, std::int64_t position, int tokens) {
  const auto& attention = m_kit.description().attention;
  for (int t = 0; t < tokens; ++t) {
    for (int head = 0; head < attention.heads; ++head) {
      const std::int64_t first = std::int64_t{head} * attention.headDim;
      cache.write(layer, head, position + t, m_key.row(size(t)) + first, m_value.row(size(t)) + first);
    }
  }
}

/// m_stream to m_stream. Tokens of the encoder see all of its input, those of the decoder themselves and what
/// was before.
void EncoderDecoderForward::selfAttention(int layer, const ForwardBlock& block) {
  const auto& attention = m_kit.description().attention;
  const AttentionWeights& weights = m_weights.layers[size(layer)].self;
  const int tokens = static_cast<int>(block.ids.size());
  const std::int64_t first = block.decode ? block.position - m_sourceLength : 0;
  AttentionCache& cache = block.decode ? *m_caches.decoder : *m_caches.encoder;
  const int cacheLayer = block.decode ? layer - m_encoderLayers : 0;
  normalise(weights.norm, tokens);
  project(weights.query, m_normed, m_query, tokens);
  project(weights.key, m_normed, m_key, tokens);
  project(weights.value, m_normed, m_value, tokens);
  store(cache, cacheLayer, first, tokens);
  m_jobs.clear();
  for (int t = 0; t < tokens; ++t) {
    for (int head = 0; head < attention.heads; ++head) {
      const std::int64_t column = std::int64_t{head} * attention.headDim;
      m_jobs.push_back({m_query.row(size(t)) + column, m_mixed.row(size(t)) + column, head,
                        block.decode ? first + t : m_sourceLength - 1,
                        positionBias(block.decode, head, first + t)});
    }
  }
  m_kit.attend(cache, cacheLayer, m_jobs, attention.scale);
  project(weights.output, m_mixed, m_update, tokens);
  addUpdate(tokens);
}

void EncoderDecoderForward::crossAttention(int layer, int tokens) {
  const auto& attention = m_kit.description().attention;
  const AttentionWeights& weights = *m_weights.layers[size(layer)].cross;
  normalise(weights.norm, tokens);
  project(weights.query, m_normed, m_query, tokens);
  m_jobs.clear();
  for (int t = 0; t < tokens; ++t) {
    for (int head = 0; head < attention.heads; ++head) {
      const std::int64_t column = std::int64_t{head} * attention.headDim;
      m_jobs.push_back(
          {m_query.row(size(t)) + column, m_mixed.row(size(t)) + column, head, m_sourceLength - 1, nullptr});
    }
  }
  m_kit.attend(*m_caches.cross, layer - m_encoderLayers, m_jobs, attention.scale);
  project(weights.output, m_mixed, m_update, tokens);
  addUpdate(tokens);
}

/// Keys and values of the encoder's output, for every decoder layer.
void EncoderDecoderForward::finishSource(int tokens) {
  normalise(m_weights.encoderNorm, tokens);
  for (int layer = m_encoderLayers; layer < m_kit.description().layers; ++layer) {
    const AttentionWeights& cross = *m_weights.layers[size(layer)].cross;
    project(cross.key, m_normed, m_key, tokens);
    project(cross.value, m_normed, m_value, tokens);
    store(*m_caches.cross, layer - m_encoderLayers, 0, tokens);
  }
}

void EncoderDecoderForward::rectify(const std::vector<float>* bias, float* row) const {
  if (bias != nullptr) m_kit.add(row, bias->data(), m_inner.columns());
  for (std::int64_t i = 0; i < m_inner.columns(); ++i) row[i] = std::max(row[i], 0.0F);
}

Result<void> EncoderDecoderForward::feedForward(int layer, int tokens) {
  const CoderLayer& l = m_weights.layers[size(layer)];
  normalise(l.feedForwardNorm, tokens);
  if (const int router = m_kit.description().layerSpecs[size(layer)].router; router >= 0) {
    if (auto done = runExperts(l, router, tokens); !done) return done;
  } else {
    const MlpWeights& mlp = l.mlps.front();
    m_inner.require(size(tokens));
    m_kit.multiply(mlp.inner.matrix, m_normed, m_inner, tokens);
    for (std::size_t t = 0; t < size(tokens); ++t) rectify(mlp.inner.bias, m_inner.row(t));
    project(mlp.outer, m_inner, m_update, tokens);
  }
  addUpdate(tokens);
  return {};
}

/// m_normed to m_update. Experts of two matrices; a bias of the second is weighted as its output is.
Result<void> EncoderDecoderForward::runExperts(const CoderLayer& layer, int router, int tokens) {
  static const std::vector<float> kNoBias;
  const auto index = static_cast<std::size_t>(&layer - m_weights.layers.data());
  const auto routed = m_kit.route(router, layer.router.matrix, m_normed,
                                  layer.router.bias == nullptr ? kNoBias : *layer.router.bias);
  if (!routed) return fail(routed.error());
  m_kit.project(*routed, m_innerMatrices[index], m_normed, m_inner);
  const auto forEachChoice = [&](const auto& visit) {
    for (int t = 0; t < tokens; ++t) {
      for (int choice = 0; choice < routed->stride; ++choice) {
        const std::int32_t expert = routed->id(t, choice);
        if (expert < 0) continue;  // dropped, or none
        visit(size(t), size(std::int64_t{t} * routed->stride + choice), layer.mlps[size(expert)]);
      }
    }
  };
  forEachChoice([&](std::size_t, std::size_t slot, const MlpWeights& mlp) {
    rectify(mlp.inner.bias, m_inner.row(slot));
  });
  m_kit.combine(*routed, m_outerMatrices[index], m_inner, m_update);
  forEachChoice([&](std::size_t token, std::size_t slot, const MlpWeights& mlp) {
    if (mlp.outer.bias == nullptr) return;
    float* row = m_update.row(token);
    for (std::int64_t i = 0; i < m_update.columns(); ++i)
      row[i] += routed->weights[slot] * (*mlp.outer.bias)[size(i)];
  });
  return {};
}

Result<void> EncoderDecoderForward::forward(const ForwardBlock& block) {
  const int tokens = static_cast<int>(block.ids.size());
  for (TokenRows* rows : {&m_stream, &m_normed, &m_update, &m_query, &m_key, &m_value, &m_mixed})
    rows->require(size(tokens));
  if (!block.decode) m_sourceLength = tokens;
  m_kit.embed(m_stream);
  const std::int64_t first = block.decode ? block.position - m_sourceLength : 0;
  for (int t = 0; t < tokens; ++t) addPosition(first + t, m_stream.row(size(t)));
  const int end = block.decode ? m_kit.description().layers : m_encoderLayers;
  for (int layer = block.decode ? m_encoderLayers : 0; layer < end; ++layer) {
    selfAttention(layer, block);
    if (block.decode) crossAttention(layer, tokens);
    if (auto done = feedForward(layer, tokens); !done) return done;
    m_kit.showHidden(layer, m_stream);
  }
  if (!block.decode) {
    finishSource(tokens);
    return {};
  }
  normalise(m_weights.decoderNorm, tokens);
  m_kit.head(m_normed);
  return {};
}

void EncoderDecoderForward::copyFrom(const ModelForward& other, std::int64_t position) {
  const auto& from = static_cast<const EncoderDecoderForward&>(other);
  m_sourceLength = std::min(from.m_sourceLength, position);
  m_caches.cross->copyFrom(*from.m_caches.cross, m_sourceLength);
  m_caches.decoder->copyFrom(*from.m_caches.decoder, position - m_sourceLength);
}

}  // namespace moescope::engine
