#include "core/engine/torch/torch_decoder.h"

#include <limits>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/InferenceMode.h>

namespace moescope::engine {

namespace {

/// Copies `from` to host memory as float32, row after row.
void download(const at::Tensor& from, float* to) {
  at::from_blob(to, from.sizes(), at::TensorOptions().dtype(at::kFloat)).copy_(from);
}

std::int64_t storedBytes(at::ScalarType dtype) { return static_cast<std::int64_t>(c10::elementSize(dtype)); }

}  // namespace

std::int64_t TorchDecoder::cacheBytes(const checkpoint::ModelDescription& d, std::int64_t capacity,
                                      Storage storage) {
  const std::int64_t floats = saturatedProduct(saturatedProduct(2LL * d.layers, d.attention.keyValueHeads),
                                               saturatedProduct(capacity, d.attention.headDim));
  return saturatedProduct(floats, static_cast<std::int64_t>(bytesPerElement(storage)));
}

std::unique_ptr<TorchDecoder> TorchDecoder::create(const TorchContext& context, std::int64_t capacity) {
  const c10::InferenceMode inference;
  return std::unique_ptr<TorchDecoder>(new TorchDecoder(context, capacity));
}

TorchDecoder::TorchDecoder(const TorchContext& context, std::int64_t capacity)
    : m_context(context),
      m_capacity(capacity),
      m_rotary(context.description.attention.rope, kPrefillBlock),
      m_tallied(context.tally,
                2LL * context.description.layers * context.description.attention.keyValueHeads * capacity *
                    context.description.attention.headDim * storedBytes(context.weights.dtype),
                0) {
  const auto& attention = context.description.attention;
  const auto options = at::TensorOptions().dtype(context.weights.dtype).device(context.weights.device);
  for (int layer = 0; layer < context.description.layers; ++layer) {
    m_keys.push_back(at::zeros({attention.keyValueHeads, capacity, attention.headDim}, options));
    m_values.push_back(at::zeros({attention.keyValueHeads, capacity, attention.headDim}, options));
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

/// w * cast(x32 / sqrt(mean(x32^2) + eps)), over the last dimension.
at::Tensor TorchDecoder::norm(const at::Tensor& x, const at::Tensor& weight) const {
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor variance = wide.pow(2).mean(-1, true);
  return weight * (wide * at::rsqrt(variance + m_context.description.normEps)).to(x.scalar_type());
}

at::Tensor TorchDecoder::projected(const at::Tensor& x, const at::Tensor& weight,
                                   const at::Tensor& bias) const {
  return bias.defined() ? at::linear(x, weight, bias) : at::linear(x, weight);
}

/// [tokens, heads * headDim] to the same.
at::Tensor TorchDecoder::queryKeyNorm(const at::Tensor& x, const at::Tensor& weight) const {
  switch (m_context.description.attention.qkNorm) {
    case checkpoint::QkNorm::None: return x;
    case checkpoint::QkNorm::FullPre: return norm(x, weight);
    case checkpoint::QkNorm::HeadPre:
      return norm(x.view({x.size(0), -1, m_context.description.attention.headDim}), weight).view(x.sizes());
  }
  return x;
}

/// [tokens, heads, headDim], half-split pairs; channels beyond rotaryDim pass through.
at::Tensor TorchDecoder::rotated(const at::Tensor& x, const at::Tensor& cosines,
                                 const at::Tensor& sines) const {
  const std::int64_t rotary = m_rotary.rotaryDim();
  const at::Tensor first = x.narrow(-1, 0, rotary / 2);
  const at::Tensor second = x.narrow(-1, rotary / 2, rotary / 2);
  const at::Tensor rest = x.narrow(-1, rotary, x.size(-1) - rotary);
  return at::cat({first * cosines - second * sines, second * cosines + first * sines, rest}, -1);
}

at::Tensor TorchDecoder::attention(int layer, const at::Tensor& x, const DecoderBlock& block) {
  const auto& spec = m_context.description.attention;
  const TorchLayer& l = m_context.weights.layers[static_cast<std::size_t>(layer)];
  const std::int64_t tokens = x.size(0);
  at::Tensor query = queryKeyNorm(projected(x, l.query, l.queryBias), l.queryNorm);
  at::Tensor key = queryKeyNorm(projected(x, l.key, l.keyBias), l.keyNorm);
  at::Tensor value = projected(x, l.value, l.valueBias);
  if (spec.clipQkv) {
    for (at::Tensor* part : {&query, &key, &value}) *part = at::clamp(*part, -*spec.clipQkv, *spec.clipQkv);
  }
  query = rotated(query.view({tokens, spec.heads, spec.headDim}), m_cosines, m_sines);
  key = rotated(key.view({tokens, spec.keyValueHeads, spec.headDim}), m_cosines, m_sines);
  value = value.view({tokens, spec.keyValueHeads, spec.headDim});

  const auto l64 = static_cast<std::size_t>(layer);
  m_keys[l64].narrow(1, block.position, tokens).copy_(key.transpose(0, 1));
  m_values[l64].narrow(1, block.position, tokens).copy_(value.transpose(0, 1));
  const std::int64_t visible = block.position + tokens;
  const at::Tensor mixed =
      attend(query, m_keys[l64].narrow(1, 0, visible), m_values[l64].narrow(1, 0, visible), block.position);
  return projected(mixed, l.output, l.outputBias);
}

/// query [tokens, heads, headDim], keys and values [keyValueHeads, visible, headDim] to
/// [tokens, heads * headDim]. Query heads that share a key head are rows of one product: nothing is repeated.
at::Tensor TorchDecoder::attend(const at::Tensor& query, const at::Tensor& keys, const at::Tensor& values,
                                std::int64_t position) const {
  const auto& spec = m_context.description.attention;
  const std::int64_t tokens = query.size(0);
  const std::int64_t visible = keys.size(1);
  const std::int64_t group = spec.heads / spec.keyValueHeads;
  const at::Tensor grouped =
      query.transpose(0, 1).reshape({spec.keyValueHeads, group * tokens, spec.headDim});
  at::Tensor scores = at::matmul(grouped, keys.transpose(1, 2)) * spec.scale;
  scores = scores.view({spec.keyValueHeads, group, tokens, visible});
  if (tokens > 1) {
    const auto options = at::TensorOptions().dtype(at::kLong).device(m_context.weights.device);
    const at::Tensor own = at::arange(position, position + tokens, options).unsqueeze(1);
    const at::Tensor later = at::arange(visible, options).unsqueeze(0) > own;  // [tokens, visible]
    scores = scores.masked_fill(later, -std::numeric_limits<float>::infinity());
  }
  const at::Tensor shares = at::softmax(scores, -1, at::kFloat).to(query.scalar_type());
  const at::Tensor mixed = at::matmul(shares.view({spec.keyValueHeads, group * tokens, visible}), values);
  return mixed.view({spec.heads, tokens, spec.headDim}).transpose(0, 1).reshape({tokens, -1});
}

Result<at::Tensor> TorchDecoder::experts(int layer, const at::Tensor& x, const DecoderBlock& block,
                                         StepBuffers& step) {
  const TorchLayer& l = m_context.weights.layers[static_cast<std::size_t>(layer)];
  if (float* shown = step.routerInput(layer, block.firstRow)) download(x, shown);
  download(projected(x, l.router, l.routerBias), step.routerLogits(layer, block.firstRow));
  const auto routed = step.route(layer, block.firstRow, static_cast<int>(x.size(0)));
  if (!routed) return fail(routed.error());
  return mixture(l, x, *routed);
}

/// Sum over the chosen experts in ascending order of their ids; experts that no token chose cost nothing.
at::Tensor TorchDecoder::mixture(const TorchLayer& layer, const at::Tensor& x,
                                 const RoutedRows& routed) const {
  const std::int64_t tokens = x.size(0);
  std::vector<std::vector<std::int64_t>> rowsOf(layer.experts.size());
  std::vector<std::vector<float>> gainsOf(layer.experts.size());
  for (std::int64_t t = 0; t < tokens; ++t) {
    for (std::int64_t i = t * routed.stride; i < (t + 1) * routed.stride && routed.ids[i] >= 0; ++i) {
      rowsOf[static_cast<std::size_t>(routed.ids[i])].push_back(t);
      gainsOf[static_cast<std::size_t>(routed.ids[i])].push_back(routed.weights[i]);
    }
  }
  at::Tensor sum = at::zeros_like(x);
  for (std::size_t e = 0; e < layer.experts.size(); ++e) {
    if (rowsOf[e].empty()) continue;
    const auto count = static_cast<std::int64_t>(rowsOf[e].size());
    const at::Tensor rows =
        uploaded(at::from_blob(rowsOf[e].data(), {count}, at::TensorOptions().dtype(at::kLong)));
    const at::Tensor gains =
        uploaded(at::from_blob(gainsOf[e].data(), {count, 1}, at::TensorOptions().dtype(at::kFloat)));
    const TorchExpert& expert = layer.experts[e];
    const at::Tensor input = x.index_select(0, rows);
    const at::Tensor inner = at::silu(at::linear(input, expert.gate)) * at::linear(input, expert.up);
    sum.index_add_(0, rows, at::linear(inner, expert.down) * gains.to(x.scalar_type()));
  }
  return sum;
}

void TorchDecoder::head(const at::Tensor& x, const DecoderBlock& block, StepBuffers& step) const {
  // Rows whose logits are asked for are the last ones of the step.
  const std::int64_t tokens = x.size(0);
  std::int64_t first = 0;
  while (first < tokens && step.logits(block.firstRow + static_cast<int>(first)) == nullptr) ++first;
  if (first == tokens) return;
  const at::Tensor rows = norm(x.narrow(0, first, tokens - first), m_context.weights.finalNorm);
  download(at::linear(rows, m_context.weights.head), step.logits(block.firstRow + static_cast<int>(first)));
}

Result<void> TorchDecoder::forward(const DecoderBlock& block, StepBuffers& step) {
  const c10::InferenceMode inference;
  const auto tokens = static_cast<std::int64_t>(block.ids.size());
  const auto dtype = m_context.weights.dtype;
  m_rotary.prepare(block.position, static_cast<int>(tokens));
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
  at::Tensor x = at::embedding(m_context.weights.embedding, idTensor);
  for (int layer = 0; layer < m_context.description.layers; ++layer) {
    const TorchLayer& l = m_context.weights.layers[static_cast<std::size_t>(layer)];
    x = x + attention(layer, norm(x, l.inputNorm), block);
    auto mixed = experts(layer, norm(x, l.postAttentionNorm), block, step);
    if (!mixed) return fail(std::move(mixed).error());
    x = x + *mixed;
    if (float* shown = step.hidden(layer, block.firstRow)) download(x, shown);
  }
  head(x, block, step);
  return {};
}

}  // namespace moescope::engine
