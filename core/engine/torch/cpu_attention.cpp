// The attention sublayer of the CPU decoder.
#include <algorithm>
#include <cmath>

#include "core/engine/torch/cpu_decoder.h"

namespace moescope::engine {

namespace {

// The norms inside latent attention are built without the config's eps (transformers, deepseek).
constexpr float kLatentNormEps = 1e-6F;

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

void clip(float* values, std::int64_t count, float limit) {
  for (std::int64_t i = 0; i < count; ++i) values[i] = std::clamp(values[i], -limit, limit);
}

/// First position that a query at `position` sees.
std::int64_t firstVisible(const checkpoint::LayerSpec& layer, std::int64_t position) {
  std::int64_t first = 0;
  if (layer.window > 0) first = std::max(first, position - layer.window + 1);
  if (layer.chunk > 0) first = std::max(first, position / layer.chunk * layer.chunk);
  return first;
}

}  // namespace

void CpuDecoder::headNorm(float* projected, int heads, const CpuVector& norm) const {
  const auto& d = m_context.description;
  const auto eps = static_cast<float>(d.normEps);
  if (d.attention.qkNorm == checkpoint::QkNorm::FullPre) {
    m_context.kernels.rmsNorm(projected, norm.data(), eps, std::int64_t{heads} * d.attention.headDim,
                              projected);
    return;
  }
  for (int head = 0; head < heads; ++head) {
    float* part = projected + std::int64_t{head} * d.attention.headDim;
    m_context.kernels.rmsNorm(part, norm.data(), eps, d.attention.headDim, part);
  }
}

/// m_normed to m_query, m_key and m_value.
void CpuDecoder::projectQkv(const CpuLayer& layer, int tokens) {
  const auto& spec = m_context.description.attention;
  multiply(layer.query, layer.queryBias, m_normed, m_query, tokens);
  multiply(layer.key, layer.keyBias, m_normed, m_key, tokens);
  multiply(layer.value, layer.valueBias, m_normed, m_value, tokens);
  const bool isNormed =
      spec.qkNorm == checkpoint::QkNorm::FullPre || spec.qkNorm == checkpoint::QkNorm::HeadPre;
  for (std::size_t row = 0; row < size(tokens); ++row) {
    if (isNormed) {
      headNorm(m_query.row(row), spec.heads, layer.queryNorm);
      headNorm(m_key.row(row), spec.keyValueHeads, layer.keyNorm);
    }
    if (!spec.clipQkv) continue;
    for (const TokenRows* rows : {&m_query, &m_key, &m_value}) {
      clip(rows->row(row), rows->columns(), static_cast<float>(*spec.clipQkv));
    }
  }
}

/// The same through narrow projections (DeepSeek-V2, Liu et al. 2024, section 2.1): a head of query or key
/// has its unrotated channels first; the rotated ones of the key are shared by all heads.
void CpuDecoder::projectLatent(const CpuLayer& layer, int tokens) {
  const auto& spec = m_context.description.attention;
  const checkpoint::LatentSpec& latent = *spec.latent;
  const Kernels& kernels = m_context.kernels;
  if (latent.queryRank == 0) {
    multiply(layer.query, layer.queryBias, m_normed, m_query, tokens);
  } else {
    multiply(layer.queryDown, layer.queryDownBias, m_normed, m_narrow, tokens);
    for (std::size_t row = 0; row < size(tokens); ++row) {
      kernels.rmsNorm(m_narrow.row(row), layer.queryDownNorm.data(), kLatentNormEps, latent.queryRank,
                      m_narrowNormed.row(row));
    }
    multiply(layer.queryUp, {}, m_narrowNormed, m_query, tokens);
  }
  multiply(layer.keyValueDown, layer.keyValueDownBias, m_normed, m_narrow, tokens);
  for (std::size_t row = 0; row < size(tokens); ++row) {
    kernels.rmsNorm(m_narrow.row(row), layer.keyValueDownNorm.data(), kLatentNormEps, latent.keyValueRank,
                    m_narrowNormed.row(row));
  }
  multiply(layer.keyValueUp, {}, m_narrowNormed, m_keyValue, tokens);
  for (std::size_t row = 0; row < size(tokens); ++row) {
    const float* rotated = m_narrow.row(row) + latent.keyValueRank;
    for (int head = 0; head < spec.heads; ++head) {
      const float* from = m_keyValue.row(row) + std::int64_t{head} * (latent.nopeDim + spec.valueDim);
      float* key = m_key.row(row) + std::int64_t{head} * spec.headDim;
      std::copy_n(from, latent.nopeDim, key);
      std::copy_n(rotated, latent.ropeDim, key + latent.nopeDim);
      std::copy_n(from + latent.nopeDim, spec.valueDim,
                  m_value.row(row) + std::int64_t{head} * spec.valueDim);
    }
  }
}

/// Turns queries and keys, norms them where that comes after, and fills the cache.
void CpuDecoder::rotateAndStore(int layer, const DecoderBlock& block) {
  const auto& spec = m_context.description.attention;
  const CpuLayer& l = m_context.weights.layers[size(layer)];
  const checkpoint::LayerSpec& layerSpec = m_context.description.layerSpecs[size(layer)];
  const int unrotated = spec.latent ? spec.latent->nopeDim : 0;
  for (int t = 0; t < static_cast<int>(block.ids.size()); ++t) {
    float* query = m_query.row(size(t));
    float* key = m_key.row(size(t));
    if (layerSpec.rotates) {
      for (int head = 0; head < spec.heads; ++head)
        m_rotary.apply(t, query + std::int64_t{head} * spec.headDim + unrotated);
      for (int head = 0; head < spec.keyValueHeads; ++head)
        m_rotary.apply(t, key + std::int64_t{head} * spec.headDim + unrotated);
    }
    if (spec.qkNorm == checkpoint::QkNorm::HeadPost ||
        (spec.qkNorm == checkpoint::QkNorm::L2Post && layerSpec.rotates)) {
      const bool hasWeight = spec.qkNorm == checkpoint::QkNorm::HeadPost;
      headNorm(query, spec.heads, hasWeight ? l.queryNorm : m_ones);
      headNorm(key, spec.keyValueHeads, hasWeight ? l.keyNorm : m_ones);
    }
    if (spec.temperature && !layerSpec.rotates) {
      const double steps = std::floor(static_cast<double>(block.position + t + 1) / spec.temperature->floor);
      const auto factor = static_cast<float>(1.0 + spec.temperature->scale * std::log1p(steps));
      for (std::int64_t i = 0; i < m_query.columns(); ++i) query[i] *= factor;
    }
    for (int head = 0; head < spec.keyValueHeads; ++head) {
      m_cache.write(layer, head, block.position + t, key + std::int64_t{head} * spec.headDim,
                    m_value.row(size(t)) + std::int64_t{head} * spec.valueDim);
    }
  }
}

void CpuDecoder::attention(int layer, const DecoderBlock& block) {
  const auto& spec = m_context.description.attention;
  const CpuLayer& l = m_context.weights.layers[size(layer)];
  const int tokens = static_cast<int>(block.ids.size());
  if (spec.latent) {
    projectLatent(l, tokens);
  } else {
    projectQkv(l, tokens);
  }
  rotateAndStore(layer, block);
  const std::int64_t work =
      std::int64_t{spec.heads} * (spec.headDim + spec.valueDim) * tokens * (block.position + tokens);
  if (work < kParallelWork) {
    for (int head = 0; head < spec.heads; ++head) attendHead(layer, head, block);
  } else {
    m_context.pool.run(spec.heads,
                       [&](std::int64_t head) { attendHead(layer, static_cast<int>(head), block); });
  }
  multiply(l.output, l.outputBias, m_mixed, m_update, tokens);
}

/// One query head for every token of the block; each token sees the positions up to its own.
void CpuDecoder::attendHead(int layer, int head, const DecoderBlock& block) {
  const auto& spec = m_context.description.attention;
  const checkpoint::LayerSpec& layerSpec = m_context.description.layerSpecs[size(layer)];
  const int shared = head / (spec.heads / spec.keyValueHeads);
  const float* keys = m_cache.keyTiles(layer, shared);
  const float* values = m_cache.values(layer, shared);
  const CpuVector& sinks = m_context.weights.layers[size(layer)].sinks;
  float* scores =
      m_scores.data() + std::int64_t{head} * (static_cast<std::int64_t>(m_scores.size()) / spec.heads);
  for (std::size_t t = 0; t < block.ids.size(); ++t) {
    const std::int64_t position = block.position + static_cast<std::int64_t>(t);
    attendOne(m_context.kernels,
              {m_query.row(t) + std::int64_t{head} * spec.headDim, keys, values, spec.headDim, spec.valueDim,
               firstVisible(layerSpec, position), position, static_cast<float>(spec.scale),
               sinks.empty() ? nullptr : &sinks[size(head)], nullptr, scores,
               m_mixed.row(t) + std::int64_t{head} * spec.valueDim});
  }
}

}  // namespace moescope::engine
