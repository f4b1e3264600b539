#include "core/checkpoint/weight_map.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/checkpoint/moe_map.h"
#include "core/checkpoint/tensor_source.h"

namespace moescope::checkpoint {

namespace {

constexpr std::size_t kMaxWarned = 5;

class Mapper {
 public:
  Mapper(const CheckpointFiles& files, const NameMap& names, ModelDescription& description,
         std::span<const OwnTensor> own)
      : m_source(files, names.embedding, description.quantisation),
        m_names(names),
        m_description(description),
        m_own(own) {
    const auto hasRouter = [&](const NameMap& map) {
      if (description.routers.empty()) return true;
      const int layer = description.routers.front().layer.value;
      return m_source.find(expandName(map.layerPrefix, layer) + std::string(map.router) + ".weight") !=
             nullptr;
    };
    if (names.elsewhere != nullptr && !hasRouter(names) && hasRouter(*names.elsewhere))
      takeExperts(*names.elsewhere);
  }

  /// Names that the model does not need and files hold all the same.
  void leave(const CheckpointFiles& files, std::span<const std::string> ignored) {
    for (const std::string& name : ignored) {
      if (!name.ends_with('*')) {
        m_source.leave(name);
        continue;
      }
      const std::string begin = name.substr(0, name.size() - 1);
      for (auto file = files.tensors.lower_bound(begin);
           file != files.tensors.end() && file->first.starts_with(begin); ++file) {
        m_source.leave(file->first);
      }
    }
  }

  Result<ModelWeights> map() {
    const std::int64_t hidden = m_description.hiddenSize;
    ModelWeights weights;
    weights.embedding = take(m_names.embedding, {m_description.vocabularySize, hidden});
    if (!m_names.finalNorm.empty()) weights.finalNorm = take(m_names.finalNorm, {hidden});
    weights.finalNormBias = normBias({}, m_names.finalNorm);
    weights.head = mapHead(weights.embedding);
    if (m_description.headBias) weights.headBias = take("lm_head.bias", {m_description.vocabularySize});
    for (int layer = 0; layer < m_description.layers && !m_source.isHopeless(); ++layer) {
      weights.layers.push_back(mapLayer(layer));
    }
    mapOwn(weights);
    if (m_source.hasProblems()) return m_source.error();
    countParameters(weights);
    warnUnused();
    return weights;
  }

 private:
  void takeExperts(const NameMap& from) {
    m_names.router = from.router;
    m_names.expertGate = from.expertGate;
    m_names.expertUp = from.expertUp;
    m_names.expertDown = from.expertDown;
    m_names.fusedGateUp = from.fusedGateUp;
    m_names.fusedDown = from.fusedDown;
  }

  TensorView take(std::string_view name, const std::vector<std::int64_t>& shape) {
    return m_source.take(std::string(name), shape);
  }

  TensorView mapHead(const TensorView& embedding) {
    const TensorView* own = m_source.find(std::string(m_names.head));
    if (!m_description.tiedHead)
      return take(m_names.head, {m_description.vocabularySize, m_description.hiddenSize});
    if (own == nullptr) return embedding;
    // As transformers does: a head that differs from the embedding is used although the config ties them.
    const bool same = own->bytes.size() == embedding.bytes.size() && own->dtype == embedding.dtype &&
                      std::memcmp(own->bytes.data(), embedding.bytes.data(), own->bytes.size()) == 0;
    if (same) {
      m_source.leave(std::string(m_names.head));
      return embedding;
    }
    m_description.warnings.push_back(
        fmt::format("config.json ties the output head to the embedding, but the file holds a different {}; "
                    "the file's head is used",
                    m_names.head));
    m_description.tiedHead = false;
    return take(m_names.head, {m_description.vocabularySize, m_description.hiddenSize});
  }

  /// A projection's weight, or bias where `wanted`.
  TensorView weight(const std::string& prefix, std::string_view name, std::int64_t rows,
                    std::int64_t columns) {
    return take(fmt::format("{}{}.weight", prefix, name), {rows, columns});
  }
  TensorView bias(const std::string& prefix, std::string_view name, std::int64_t rows, bool wanted = true) {
    return wanted ? take(fmt::format("{}{}.bias", prefix, name), {rows}) : TensorView{};
  }
  TensorView vector(const std::string& prefix, std::string_view name, std::int64_t size) {
    return take(prefix + std::string(name), {size});
  }

  /// Beside a norm's weight, where the family's norms have one.
  TensorView normBias(const std::string& prefix, std::string_view weightName) {
    constexpr std::string_view kWeight = "weight";
    if (m_description.norm != NormKind::LayerNorm || weightName.empty()) return {};
    const std::string name(weightName.substr(0, weightName.size() - kWeight.size()));
    return take(prefix + name + "bias", {m_description.hiddenSize});
  }

  LayerWeights mapLayer(int layer) {
    const std::string prefix = expandName(m_names.layerPrefix, layer);
    const LayerSpec& spec = m_description.layerSpecs[static_cast<std::size_t>(layer)];
    const std::int64_t hidden = m_description.hiddenSize;
    LayerWeights weights;
    if (!m_names.inputNorm.empty()) weights.inputNorm = vector(prefix, m_names.inputNorm, hidden);
    weights.inputNormBias = normBias(prefix, m_names.inputNorm);
    if (!m_names.postAttentionNorm.empty())
      weights.postAttentionNorm = vector(prefix, m_names.postAttentionNorm, hidden);
    weights.postAttentionNormBias = normBias(prefix, m_names.postAttentionNorm);
    if (m_description.order == BlockOrder::PostNorm)
      weights.postFeedForwardNorm = vector(prefix, m_names.postFeedForwardNorm, hidden);
    if (!m_names.output.empty()) mapAttention(prefix, weights);
    if (spec.router < 0) {
      if (m_names.denseUp.empty()) return weights;
      weights.dense = mapMlp(m_source, m_description, prefix, m_names.denseGate, m_names.denseUp,
                             m_names.denseDown, spec.denseIntermediateSize);
    } else if (!m_names.router.empty() || !m_names.routerParameter.empty()) {
      weights.moe = mapMoe(m_source, m_names, layer, m_description);
      if (spec.denseIntermediateSize > 0) {
        weights.extraNorm = vector(prefix, m_names.extraNorm, hidden);
        weights.dense = mapMlp(m_source, m_description, prefix, m_names.extraGate, m_names.extraUp,
                               m_names.extraDown, spec.denseIntermediateSize);
      }
    }
    return weights;
  }

  void mapAttention(const std::string& prefix, LayerWeights& weights) {
    const auto& attention = m_description.attention;
    const std::int64_t hidden = m_description.hiddenSize;
    if (attention.latent) {
      mapLatent(prefix, *attention.latent, weights);
    } else {
      mapProjections(prefix, weights);
    }
    weights.output =
        weight(prefix, m_names.output, hidden, std::int64_t{attention.heads} * attention.valueDim);
    weights.outputBias = bias(prefix, m_names.output, hidden, attention.outputBias);
    if (attention.sinks) weights.sinks = vector(prefix, m_names.sinks, attention.heads);
  }

  /// What only an adapter's family has; of stacks the parts.
  void mapOwn(ModelWeights& weights) {
    for (const OwnTensor& own : m_own) {
      if (m_source.isHopeless()) return;
      TensorView tensor = m_source.take(own.name, own.shape);
      if (!tensor.exists()) continue;
      if (own.isVector) {
        if (own.shape.size() > 2) tensor.shape = {tensor.elementCount()};
        weights.ownVectors[own.name] = tensor;
        continue;
      }
      auto& parts = weights.ownMatrices[own.name];
      if (own.shape.size() == 2) parts.push_back(tensor);
      for (std::int64_t i = 0; own.shape.size() == 3 && i < own.shape[0]; ++i)
        parts.push_back(part(tensor, i));
    }
  }

  void mapProjections(const std::string& prefix, LayerWeights& weights) {
    const auto& attention = m_description.attention;
    const std::int64_t hidden = m_description.hiddenSize;
    const std::int64_t queryWidth = std::int64_t{attention.heads} * attention.headDim;
    const std::int64_t keyWidth = std::int64_t{attention.keyValueHeads} * attention.headDim;
    if (attention.fusedQkv) {
      const TensorView all = weight(prefix, m_names.fusedQkv, queryWidth + 2 * keyWidth, hidden);
      if (!all.exists()) return;
      weights.query = slice(all, 0, 0, queryWidth);
      weights.key = slice(all, 0, queryWidth, keyWidth);
      weights.value = slice(all, 0, queryWidth + keyWidth, keyWidth);
      const TensorView biases = bias(prefix, m_names.fusedQkv, queryWidth + 2 * keyWidth, attention.qkvBias);
      if (!biases.exists()) return mapQueryKeyNorms(prefix, weights);
      weights.queryBias = slice(biases, 0, 0, queryWidth);
      weights.keyBias = slice(biases, 0, queryWidth, keyWidth);
      weights.valueBias = slice(biases, 0, queryWidth + keyWidth, keyWidth);
    } else {
      weights.query = weight(prefix, m_names.query, queryWidth, hidden);
      weights.key = weight(prefix, m_names.key, keyWidth, hidden);
      weights.value = weight(prefix, m_names.value, keyWidth, hidden);
      weights.queryBias = bias(prefix, m_names.query, queryWidth, attention.qkvBias);
      weights.keyBias = bias(prefix, m_names.key, keyWidth, attention.qkvBias);
      weights.valueBias = bias(prefix, m_names.value, keyWidth, attention.qkvBias);
    }
    mapQueryKeyNorms(prefix, weights);
  }

  void mapQueryKeyNorms(const std::string& prefix, LayerWeights& weights) {
    const auto& attention = m_description.attention;
    if (attention.qkNorm == QkNorm::None || attention.qkNorm == QkNorm::L2Post) return;
    const std::int64_t queryWidth = std::int64_t{attention.heads} * attention.headDim;
    const std::int64_t keyWidth = std::int64_t{attention.keyValueHeads} * attention.headDim;
    const bool full = attention.qkNorm == QkNorm::FullPre;
    weights.queryNorm = vector(prefix, m_names.queryNorm, full ? queryWidth : attention.headDim);
    weights.keyNorm = vector(prefix, m_names.keyNorm, full ? keyWidth : attention.headDim);
  }

  void mapLatent(const std::string& prefix, const LatentSpec& latent, LayerWeights& weights) {
    const auto& attention = m_description.attention;
    const std::int64_t hidden = m_description.hiddenSize;
    const std::int64_t queryWidth = std::int64_t{attention.heads} * attention.headDim;
    const std::int64_t narrow = latent.keyValueRank + latent.ropeDim;
    if (latent.queryRank == 0) {
      weights.query = weight(prefix, m_names.query, queryWidth, hidden);
    } else {
      weights.queryDown = weight(prefix, m_names.queryDown, latent.queryRank, hidden);
      weights.queryDownBias = bias(prefix, m_names.queryDown, latent.queryRank, attention.qkvBias);
      weights.queryDownNorm = vector(prefix, m_names.queryDownNorm, latent.queryRank);
      weights.queryUp = weight(prefix, m_names.queryUp, queryWidth, latent.queryRank);
    }
    weights.keyValueDown = weight(prefix, m_names.keyValueDown, narrow, hidden);
    weights.keyValueDownBias = bias(prefix, m_names.keyValueDown, narrow, attention.qkvBias);
    weights.keyValueDownNorm = vector(prefix, m_names.keyValueDownNorm, latent.keyValueRank);
    weights.keyValueUp =
        weight(prefix, m_names.keyValueUp,
               std::int64_t{attention.heads} * (latent.nopeDim + attention.valueDim), latent.keyValueRank);
  }

  void countParameters(const ModelWeights& weights) {
    std::int64_t idle = 0;
    for (const RouterSpec& router : m_description.routers) {
      if (router.kind != "ffn") continue;
      const auto& experts = weights.layers[static_cast<std::size_t>(router.layer.value)].moe.experts;
      if (experts.empty()) continue;
      std::int64_t one =
          experts[0].gate.elementCount() + experts[0].up.elementCount() + experts[0].down.elementCount();
      if (experts[0].linear.exists()) one += experts[0].linear.elementCount();
      idle += one * (router.experts - router.topK);
    }
    for (const OwnTensor& own : m_own) {
      if (own.router < 0) continue;
      const RouterSpec& router = m_description.routers[static_cast<std::size_t>(own.router)];
      const auto elements =
          std::accumulate(own.shape.begin(), own.shape.end(), std::int64_t{1}, std::multiplies<>());
      idle += elements * (router.experts - router.topK) / router.experts;
    }
    m_description.parametersTotal = m_source.usedElements();
    m_description.parametersActive = m_description.parametersTotal - idle;
  }

  void warnUnused() {
    auto unused =
        m_source.unused(m_names.layerPrefix.substr(0, m_names.layerPrefix.find("{l}")), m_description.layers);
    if (unused.empty()) return;
    const std::size_t count = unused.size();
    unused.resize(std::min(count, kMaxWarned));
    m_description.warnings.push_back(fmt::format("{} tensors are not used: {}{}", count,
                                                 fmt::join(unused, ", "), count > kMaxWarned ? ", ..." : ""));
  }

  TensorSource m_source;
  NameMap m_names;
  ModelDescription& m_description;
  std::span<const OwnTensor> m_own;
};

}  // namespace

Result<ModelWeights> mapWeights(const CheckpointFiles& files, const NameMap& names,
                                ModelDescription& description, std::span<const OwnTensor> own,
                                std::span<const std::string> ignored) {
  Mapper mapper(files, names, description, own);
  mapper.leave(files, ignored);
  return mapper.map();
}

}  // namespace moescope::checkpoint
