#include "core/engine/torch/torch_decoder.h"

#include <cmath>
#include <limits>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/clamp_max.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/InferenceMode.h>

namespace moescope::engine {

namespace {

/// Copies `from` to host memory as float32, row after row.
void download(const at::Tensor& from, float* to) {
  at::from_blob(to, from.sizes(), at::TensorOptions().dtype(at::kFloat)).copy_(from);
}

// The norms inside latent attention are built without the config's eps (transformers, deepseek).
constexpr double kLatentNormEps = 1e-6;

at::Tensor linear(const at::Tensor& x, const TorchMatrix& weight, const at::Tensor& bias = {}) {
  const at::Tensor wide = weight.wide(x.scalar_type());
  return bias.defined() ? at::linear(x, wide, bias.to(x.scalar_type())) : at::linear(x, wide);
}

/// x / sqrt(mean(x^2) + eps) over the last dimension, in float32.
at::Tensor rootMeanSquared(const at::Tensor& x, double eps) {
  const at::Tensor wide = x.to(at::kFloat);
  return wide * at::rsqrt(wide.pow(2).mean(-1, true) + eps);
}

/// down(silu(gate x) * up x)
at::Tensor gatedMlp(const TorchExpert& mlp, const at::Tensor& x) {
  at::Tensor gate = at::silu(linear(x, mlp.gate, mlp.gateBias));
  if (mlp.linear.defined()) gate = linear(x, mlp.linear) * gate;
  return linear(gate * linear(x, mlp.up, mlp.upBias), mlp.down, mlp.downBias);
}

std::int64_t storedBytes(at::ScalarType dtype) { return static_cast<std::int64_t>(c10::elementSize(dtype)); }

}  // namespace

std::int64_t TorchDecoder::cacheBytes(const checkpoint::ModelDescription& d, std::int64_t capacity,
                                      Storage storage) {
  const auto& attention = d.attention;
  const std::int64_t floats =
      saturatedProduct(saturatedProduct(d.layers, attention.keyValueHeads),
                       saturatedProduct(capacity, std::int64_t{attention.headDim} + attention.valueDim));
  return saturatedProduct(floats, bytesOf(storage, 1));
}

std::unique_ptr<TorchDecoder> TorchDecoder::create(const TorchContext& context, std::int64_t capacity) {
  const c10::InferenceMode inference;
  return std::unique_ptr<TorchDecoder>(new TorchDecoder(context, capacity));
}

TorchDecoder::TorchDecoder(const TorchContext& context, std::int64_t capacity)
    : m_context(context),
      m_capacity(capacity),
      m_rotary(context.description.attention.rope, prefillBlock(context.description, capacity)),
      m_tallied(context.tally,
                1LL * context.description.layers * context.description.attention.keyValueHeads * capacity *
                    (context.description.attention.headDim + context.description.attention.valueDim) *
                    storedBytes(context.weights.dtype),
                0) {
  const auto& attention = context.description.attention;
  const auto options = at::TensorOptions().dtype(context.weights.dtype).device(context.weights.device);
  for (int layer = 0; layer < context.description.layers; ++layer) {
    m_keys.push_back(at::zeros({attention.keyValueHeads, capacity, attention.headDim}, options));
    m_values.push_back(at::zeros({attention.keyValueHeads, capacity, attention.valueDim}, options));
  }
}

Result<std::unique_ptr<Decoder>> TorchDecoder::fork(std::int64_t position) const {
  const c10::InferenceMode inference;
  auto copy = create(m_context, m_capacity);
  for (std::size_t layer = 0; layer < m_keys.size(); ++layer) {
    copy->m_keys[layer].narrow(1, 0, position).copy_(m_keys[layer].narrow(1, 0, position));
    copy->m_values[layer].narrow(1, 0, position).copy_(m_values[layer].narrow(1, 0, position));
  }
  return copy;
}

at::Tensor TorchDecoder::uploaded(const at::Tensor& host) const { return host.to(m_context.weights.device); }

/// Over the last dimension, as the model's norms are (models.md 1.3 of the design).
at::Tensor TorchDecoder::norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) const {
  const checkpoint::ModelDescription& d = m_context.description;
  const auto dtype = x.scalar_type();
  switch (d.norm) {
    case checkpoint::NormKind::Rms: return weight * rootMeanSquared(x, d.normEps).to(dtype);
    case checkpoint::NormKind::RmsWide: return (weight * rootMeanSquared(x, d.normEps)).to(dtype);
    case checkpoint::NormKind::LayerNorm:
    case checkpoint::NormKind::LayerNormNoBias: break;
  }
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor centred = wide - wide.mean(-1, true);
  const at::Tensor scaled = rootMeanSquared(centred, d.normEps) * weight;
  return (bias.defined() ? scaled + bias : scaled).to(dtype);
}

/// [tokens, heads, headDim] to the same.
at::Tensor TorchDecoder::queryKeyNorm(const at::Tensor& x, const at::Tensor& weight) const {
  const auto& d = m_context.description;
  const bool isFull = d.attention.qkNorm == checkpoint::QkNorm::FullPre;
  const at::Tensor rows = isFull ? x.flatten(1) : x;
  const at::Tensor wide = rootMeanSquared(rows, d.normEps);
  if (!weight.defined()) return wide.to(x.scalar_type());
  const at::Tensor normed = d.norm == checkpoint::NormKind::RmsWide ? (weight * wide).to(x.scalar_type())
                                                                    : weight * wide.to(x.scalar_type());
  return normed.view(x.sizes());
}

/// [tokens, heads, headDim]: the channels from `unrotated` on turn, as many as the rotary dimension says.
at::Tensor TorchDecoder::rotated(const at::Tensor& x, std::int64_t unrotated) const {
  const std::int64_t rotary = m_rotary.rotaryDim();
  const at::Tensor before = x.narrow(-1, 0, unrotated);
  const at::Tensor turning = x.narrow(-1, unrotated, rotary);
  const at::Tensor after = x.narrow(-1, unrotated + rotary, x.size(-1) - unrotated - rotary);
  if (m_rotary.isInterleaved()) {
    const at::Tensor pairs = turning.reshape({x.size(0), x.size(1), rotary / 2, 2});
    const at::Tensor first = pairs.select(-1, 0);
    const at::Tensor second = pairs.select(-1, 1);
    const at::Tensor turned =
        at::stack({first * m_cosines - second * m_sines, second * m_cosines + first * m_sines}, -1);
    return at::cat({before, turned.flatten(-2), after}, -1);
  }
  const at::Tensor first = turning.narrow(-1, 0, rotary / 2);
  const at::Tensor second = turning.narrow(-1, rotary / 2, rotary / 2);
  return at::cat({before, first * m_cosines - second * m_sines, second * m_cosines + first * m_sines, after},
                 -1);
}

TorchDecoder::Projected TorchDecoder::projectQkv(const TorchLayer& l, const at::Tensor& x) const {
  const auto& spec = m_context.description.attention;
  const std::int64_t tokens = x.size(0);
  Projected out{linear(x, l.query, l.queryBias).view({tokens, spec.heads, spec.headDim}),
                linear(x, l.key, l.keyBias).view({tokens, spec.keyValueHeads, spec.headDim}),
                linear(x, l.value, l.valueBias).view({tokens, spec.keyValueHeads, spec.valueDim})};
  if (spec.qkNorm == checkpoint::QkNorm::FullPre || spec.qkNorm == checkpoint::QkNorm::HeadPre) {
    out.query = queryKeyNorm(out.query, l.queryNorm);
    out.key = queryKeyNorm(out.key, l.keyNorm);
  }
  if (spec.clipQkv) {
    for (at::Tensor* part : {&out.query, &out.key, &out.value})
      *part = at::clamp(*part, -*spec.clipQkv, *spec.clipQkv);
  }
  return out;
}

/// Latent attention; see CpuDecoder::projectLatent.
TorchDecoder::Projected TorchDecoder::projectLatent(const TorchLayer& l, const at::Tensor& x) const {
  const auto& spec = m_context.description.attention;
  const checkpoint::LatentSpec& latent = *spec.latent;
  const std::int64_t tokens = x.size(0);
  const auto narrowNorm = [](const at::Tensor& rows, const at::Tensor& weight) {
    return weight * rootMeanSquared(rows, kLatentNormEps).to(rows.scalar_type());
  };
  const at::Tensor query =
      latent.queryRank == 0
          ? linear(x, l.query, l.queryBias)
          : linear(narrowNorm(linear(x, l.queryDown, l.queryDownBias), l.queryDownNorm), l.queryUp);
  const at::Tensor narrow = linear(x, l.keyValueDown, l.keyValueDownBias);
  const at::Tensor both =
      linear(narrowNorm(narrow.narrow(1, 0, latent.keyValueRank), l.keyValueDownNorm), l.keyValueUp)
          .view({tokens, spec.heads, latent.nopeDim + spec.valueDim});
  const at::Tensor shared = narrow.narrow(1, latent.keyValueRank, latent.ropeDim)
                                .unsqueeze(1)
                                .expand({tokens, spec.heads, latent.ropeDim});
  return {query.view({tokens, spec.heads, spec.headDim}),
          at::cat({both.narrow(2, 0, latent.nopeDim), shared}, 2),
          both.narrow(2, latent.nopeDim, spec.valueDim)};
}

TorchDecoder::Projected TorchDecoder::project(int layer, const at::Tensor& x,
                                              const DecoderBlock& block) const {
  const auto& spec = m_context.description.attention;
  const auto& layerSpec = m_context.description.layerSpecs[static_cast<std::size_t>(layer)];
  const TorchLayer& l = m_context.weights.layers[static_cast<std::size_t>(layer)];
  Projected out = spec.latent ? projectLatent(l, x) : projectQkv(l, x);
  if (layerSpec.rotates) {
    const std::int64_t unrotated = spec.latent ? spec.latent->nopeDim : 0;
    out.query = rotated(out.query, unrotated);
    out.key = rotated(out.key, unrotated);
  }
  if (spec.qkNorm == checkpoint::QkNorm::HeadPost ||
      (spec.qkNorm == checkpoint::QkNorm::L2Post && layerSpec.rotates)) {
    out.query = queryKeyNorm(out.query, l.queryNorm);
    out.key = queryKeyNorm(out.key, l.keyNorm);
  }
  if (spec.temperature && !layerSpec.rotates) {
    std::vector<float> factors(static_cast<std::size_t>(x.size(0)));
    for (std::size_t t = 0; t < factors.size(); ++t) {
      const auto place = static_cast<double>(block.position) + static_cast<double>(t) + 1.0;
      factors[t] = static_cast<float>(1.0 + spec.temperature->scale *
                                                std::log1p(std::floor(place / spec.temperature->floor)));
    }
    const at::Tensor host =
        at::from_blob(factors.data(), {x.size(0), 1, 1}, at::TensorOptions().dtype(at::kFloat));
    out.query = (out.query * uploaded(host)).to(x.scalar_type());
  }
  return out;
}

at::Tensor TorchDecoder::attention(int layer, const at::Tensor& x, const DecoderBlock& block) {
  const auto index = static_cast<std::size_t>(layer);
  const TorchLayer& l = m_context.weights.layers[index];
  const std::int64_t tokens = x.size(0);
  const Projected own = project(layer, x, block);
  m_keys[index].narrow(1, block.position, tokens).copy_(own.key.transpose(0, 1));
  m_values[index].narrow(1, block.position, tokens).copy_(own.value.transpose(0, 1));
  const std::int64_t visible = block.position + tokens;
  const at::Tensor mixed = attend(layer, own.query, m_keys[index].narrow(1, 0, visible),
                                  m_values[index].narrow(1, 0, visible), block.position);
  return linear(mixed, l.output, l.outputBias);
}

/// [tokens, visible]: true where a token of the block does not see a key; undefined if all see all.
at::Tensor TorchDecoder::hiddenKeys(int layer, std::int64_t position, std::int64_t tokens) const {
  const auto& spec = m_context.description.layerSpecs[static_cast<std::size_t>(layer)];
  if (tokens == 1 && spec.window == 0 && spec.chunk == 0) return {};
  const auto options = at::TensorOptions().dtype(at::kLong).device(m_context.weights.device);
  const at::Tensor own = at::arange(position, position + tokens, options).unsqueeze(1);
  const at::Tensor keys = at::arange(position + tokens, options).unsqueeze(0);
  at::Tensor hidden = keys > own;
  if (spec.window > 0) hidden = hidden.logical_or(keys <= own - spec.window);
  if (spec.chunk > 0) {
    const at::Tensor start = own - own.remainder(spec.chunk);
    hidden = hidden.logical_or(keys < start);
  }
  return hidden;
}

/// `query` is [tokens, heads, headDim]; keys and values [keyValueHeads, visible, dim].
at::Tensor TorchDecoder::attend(int layer, const at::Tensor& query, const at::Tensor& keys,
                                const at::Tensor& values, std::int64_t position) const {
  const auto& spec = m_context.description.attention;
  const std::int64_t tokens = query.size(0);
  const std::int64_t visible = keys.size(1);
  const std::int64_t group = spec.heads / spec.keyValueHeads;
  const at::Tensor grouped =
      query.transpose(0, 1).reshape({spec.keyValueHeads, group * tokens, spec.headDim});
  at::Tensor scores = at::matmul(grouped, keys.transpose(1, 2)) * spec.scale;
  scores = scores.view({spec.keyValueHeads, group, tokens, visible});
  if (const at::Tensor hidden = hiddenKeys(layer, position, tokens); hidden.defined())
    scores = scores.masked_fill(hidden, -std::numeric_limits<float>::infinity());
  const at::Tensor& sinks = m_context.weights.layers[static_cast<std::size_t>(layer)].sinks;
  if (sinks.defined()) {
    const at::Tensor column =
        sinks.view({spec.keyValueHeads, group, 1, 1}).expand({spec.keyValueHeads, group, tokens, 1});
    scores = at::cat({scores, column}, -1);
  }
  const at::Tensor shares =
      at::softmax(scores, -1, at::kFloat).to(query.scalar_type()).narrow(-1, 0, visible);
  const at::Tensor mixed = at::matmul(shares.reshape({spec.keyValueHeads, group * tokens, visible}), values);
  return mixed.view({spec.heads, tokens, spec.valueDim}).transpose(0, 1).reshape({tokens, -1});
}

Result<at::Tensor> TorchDecoder::feedForward(int layer, const at::Tensor& x, const DecoderBlock& block,
                                             StepBuffers& step) {
  const TorchLayer& l = m_context.weights.layers[static_cast<std::size_t>(layer)];
  const int router = m_context.description.layerSpecs[static_cast<std::size_t>(layer)].router;
  if (router < 0) return gatedMlp(l.dense, x);
  if (float* shown = step.routerInput(router, block.firstRow)) download(x, shown);
  const auto dtype = m_context.description.wideRouter ? at::kFloat : x.scalar_type();
  const at::Tensor logits = linear(x.to(dtype), l.moe.router, l.moe.routerBias);
  download(logits, step.routerLogits(router, block.firstRow));
  const auto routed = step.route(router, block.firstRow, static_cast<int>(x.size(0)));
  if (!routed) return fail(routed.error());
  const at::Tensor mixed = mixture(l, x, *routed);
  if (!l.moe.shared.gate.defined()) return mixed;
  float* gates = l.moe.sharedRouter.defined() ? step.sharedGate(router, block.firstRow) : nullptr;
  return mixed + sharedExpert(l, x, gates);
}

at::Tensor TorchDecoder::sharedExpert(const TorchLayer& layer, const at::Tensor& x, float* gates) const {
  at::Tensor output = gatedMlp(layer.moe.shared, x);
  if (gates == nullptr) return output;
  const at::Tensor gate = at::sigmoid(linear(x, layer.moe.sharedRouter));
  download(gate, gates);
  return output * gate;
}

at::Tensor TorchDecoder::expertOutput(const TorchExpert& expert, const at::Tensor& x) const {
  const auto& spec = m_context.description.experts;
  if (spec.activation != checkpoint::Activation::ClampedSwish) return gatedMlp(expert, x);
  const at::Tensor gate = at::clamp_max(linear(x, expert.gate, expert.gateBias), spec.limit);
  const at::Tensor up = at::clamp(linear(x, expert.up, expert.upBias), -spec.limit, spec.limit);
  const at::Tensor inner = (up + 1) * gate * at::sigmoid(gate * spec.alpha);
  return linear(inner, expert.down, expert.downBias);
}

/// Sum over the chosen experts in ascending order of their ids; experts that no token chose cost nothing.
at::Tensor TorchDecoder::mixture(const TorchLayer& layer, const at::Tensor& x,
                                 const RoutedRows& routed) const {
  const std::int64_t tokens = x.size(0);
  const std::size_t experts = layer.moe.experts.size();
  std::vector<std::vector<std::int64_t>> rowsOf(experts);
  std::vector<std::vector<float>> gainsOf(experts);
  for (std::int64_t t = 0; t < tokens; ++t) {
    for (std::int64_t i = t * routed.stride; i < (t + 1) * routed.stride; ++i) {
      if (routed.ids[i] < 0) continue;
      rowsOf[static_cast<std::size_t>(routed.ids[i])].push_back(t);
      gainsOf[static_cast<std::size_t>(routed.ids[i])].push_back(routed.weights[i]);
    }
  }
  at::Tensor sum = at::zeros_like(x);
  for (std::size_t e = 0; e < experts; ++e) {
    if (rowsOf[e].empty()) continue;
    const auto count = static_cast<std::int64_t>(rowsOf[e].size());
    const at::Tensor rows =
        uploaded(at::from_blob(rowsOf[e].data(), {count}, at::TensorOptions().dtype(at::kLong)));
    const at::Tensor gains =
        uploaded(at::from_blob(gainsOf[e].data(), {count, 1}, at::TensorOptions().dtype(at::kFloat)))
            .to(x.scalar_type());
    const at::Tensor input = x.index_select(0, rows);
    const bool scalesInput = m_context.description.experts.scalesInput;
    const at::Tensor output = scalesInput ? expertOutput(layer.moe.experts[e], input * gains)
                                          : expertOutput(layer.moe.experts[e], input) * gains;
    sum.index_add_(0, rows, output);
  }
  return sum;
}

void TorchDecoder::head(const at::Tensor& x, const DecoderBlock& block, StepBuffers& step) const {
  // Rows whose logits are asked for are the last ones of the step.
  const TorchWeights& weights = m_context.weights;
  const std::int64_t tokens = x.size(0);
  std::int64_t first = 0;
  while (first < tokens && step.logits(block.firstRow + static_cast<int>(first)) == nullptr) ++first;
  if (first == tokens) return;
  const at::Tensor rows = norm(x.narrow(0, first, tokens - first), weights.finalNorm, weights.finalNormBias);
  const at::Tensor logits = linear(rows, weights.head, weights.headBias);
  download(logits / m_context.description.logitDivisor,
           step.logits(block.firstRow + static_cast<int>(first)));
}

Result<void> TorchDecoder::forward(const DecoderBlock& block, StepBuffers& step) {
  const c10::InferenceMode inference;
  const checkpoint::ModelDescription& d = m_context.description;
  const auto tokens = static_cast<std::int64_t>(block.ids.size());
  const auto dtype = m_context.weights.dtype;
  m_rotary.prepare(block.position, static_cast<int>(tokens), block.sequence);
  const auto angleTable = [&](const std::vector<float>& values) {
    const auto host = at::from_blob(const_cast<float*>(values.data()), {tokens, 1, m_rotary.rotaryDim() / 2},
                                    at::TensorOptions().dtype(at::kFloat));
    return uploaded(host).to(dtype);
  };
  m_cosines = angleTable(m_rotary.cosines());
  m_sines = angleTable(m_rotary.sines());

  std::vector<std::int64_t> ids(block.ids.begin(), block.ids.end());
  const at::Tensor idTensor =
      uploaded(at::from_blob(ids.data(), {tokens}, at::TensorOptions().dtype(at::kLong)));
  const bool isPre = d.order == checkpoint::BlockOrder::PreNorm;
  const auto update = [&](const at::Tensor& made, const at::Tensor& postNorm) {
    const at::Tensor added = isPre ? made : norm(made, postNorm, {});
    return d.residualMultiplier == 1.0 ? added : added * d.residualMultiplier;
  };
  at::Tensor x = m_context.weights.embedding.rows(idTensor, dtype);
  if (d.embeddingMultiplier != 1.0) x = x * d.embeddingMultiplier;
  for (int layer = 0; layer < d.layers; ++layer) {
    const TorchLayer& l = m_context.weights.layers[static_cast<std::size_t>(layer)];
    x = x + update(attention(layer, isPre ? norm(x, l.inputNorm, l.inputNormBias) : x, block),
                   l.postAttentionNorm);
    auto mixed =
        feedForward(layer, isPre ? norm(x, l.postAttentionNorm, l.postAttentionNormBias) : x, block, step);
    if (!mixed) return fail(std::move(mixed).error());
    x = x + update(*mixed, l.postFeedForwardNorm);
    if (l.extraNorm.defined()) x = x + update(gatedMlp(l.dense, norm(x, l.extraNorm, {})), {});
    if (float* shown = step.hidden(layer, block.firstRow)) download(x, shown);
  }
  head(x, block, step);
  return {};
}

}  // namespace moescope::engine
