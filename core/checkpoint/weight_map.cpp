#include "core/checkpoint/weight_map.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/checkpoint/float_values.h"
#include "core/checkpoint/shown_text.h"

namespace moescope::checkpoint {

namespace {

constexpr std::size_t kMaxNamed = 20;
constexpr std::size_t kMaxWarned = 5;

std::string expand(std::string_view pattern, int layer, int expert = 0) {
  std::string name(pattern);
  const auto replace = [&name](std::string_view mark, int number) {
    if (const auto at = name.find(mark); at != std::string::npos)
      name.replace(at, mark.size(), std::to_string(number));
  };
  replace("{l}", layer);
  replace("{e}", expert);
  return name;
}

class Mapper {
 public:
  Mapper(const CheckpointFiles& files, const NameMap& names, ModelDescription& description)
      : m_files(files), m_names(names), m_description(description) {}

  Result<ModelWeights> map() {
    // A config may ask for far more layers and experts than any file has; the file bounds the work.
    const std::int64_t hidden = m_description.hiddenSize;
    findPrefix();
    ModelWeights weights;
    weights.embedding = take(m_names.embedding, {m_description.vocabularySize, hidden});
    weights.finalNorm = take(m_names.finalNorm, {hidden});
    weights.finalNormBias = normBias({}, m_names.finalNorm);
    if (m_description.headBias) weights.headBias = take("lm_head.bias", {m_description.vocabularySize});
    weights.head = mapHead(weights.embedding);
    for (int layer = 0; layer < m_description.layers && m_missing < kStopAfter; ++layer) {
      weights.layers.push_back(mapLayer(layer));
    }
    if (!m_problems.empty()) return problemError();
    countParameters(weights);
    warnUnused();
    return weights;
  }

 private:
  static constexpr std::int64_t kStopAfter = 100'000;

  /// The language model of a multimodal file has a prefix before all names.
  void findPrefix() {
    for (const char* prefix : {"", "language_model."}) {
      m_prefix = prefix;
      if (find(std::string(m_names.embedding)) != nullptr) return;
    }
    m_prefix.clear();
  }

  const TensorView* find(const std::string& name) const {
    const auto found = m_files.tensors.find(m_prefix + name);
    return found == m_files.tensors.end() ? nullptr : &found->second;
  }

  TensorView take(std::string_view name, const std::vector<std::int64_t>& shape) {
    const std::string key = m_prefix + std::string(name);
    const TensorView* tensor = find(std::string(name));
    if (tensor == nullptr) {
      ++m_missing;
      addProblem("tensor.missing", key, fmt::format("{} is missing", key));
      return {};
    }
    m_used.insert(key);
    if (tensor->shape != shape) {
      addProblem("tensor.wrong_shape", key,
                 fmt::format("{} has the shape [{}] instead of [{}]", key, fmt::join(tensor->shape, ","),
                             fmt::join(shape, ",")));
      return {};
    }
    if (tensor->dtype != DType::F32 && tensor->dtype != DType::F16 && tensor->dtype != DType::BF16) {
      addProblem("tensor.unsupported_dtype", key,
                 fmt::format("{} is stored as {}", key, checkpoint::name(tensor->dtype)));
    }
    return *tensor;
  }

  void addProblem(const char* kind, const std::string& tensor, std::string text) {
    ++m_problemCount;
    if (m_problems.size() < kMaxNamed) m_problems.push_back({kind, fileOf(tensor), std::move(text)});
  }

  std::string fileOf(const std::string& tensor) const {
    const auto found = m_files.fileOfTensor.find(tensor);
    return found == m_files.fileOfTensor.end() ? m_files.mainFile : found->second;
  }

  tl::unexpected<Error> problemError() const {
    std::string text;
    for (const auto& problem : m_problems) text += (text.empty() ? "" : "; ") + problem.text;
    if (m_problemCount > static_cast<std::int64_t>(m_problems.size())) {
      text += fmt::format("; and {} more", m_problemCount - static_cast<std::int64_t>(m_problems.size()));
    }
    return fail(m_problems.front().kind, m_problems.front().file, "", text,
                "config.json and the weights do not belong together, or the download is incomplete");
  }

  TensorView mapHead(const TensorView& embedding) {
    const TensorView* own = find(std::string(m_names.head));
    if (!m_description.tiedHead)
      return take(m_names.head, {m_description.vocabularySize, m_description.hiddenSize});
    if (own == nullptr) return embedding;
    // As transformers does: a head that differs from the embedding is used although the config ties them.
    const bool same = own->bytes.size() == embedding.bytes.size() && own->dtype == embedding.dtype &&
                      std::memcmp(own->bytes.data(), embedding.bytes.data(), own->bytes.size()) == 0;
    if (same) {
      m_spare.insert(m_prefix + std::string(m_names.head));
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

  TensorView matrix(const std::string& prefix, std::string_view name, std::int64_t rows,
                    std::int64_t columns) {
    return take(prefix + std::string(name), {rows, columns});
  }

  /// Beside a norm's weight, where the family's norms have one.
  TensorView normBias(const std::string& prefix, std::string_view weightName) {
    constexpr std::string_view kWeight = "weight";
    if (m_description.norm != NormKind::LayerNorm) return {};
    const std::string name(weightName.substr(0, weightName.size() - kWeight.size()));
    return take(prefix + name + "bias", {m_description.hiddenSize});
  }

  LayerWeights mapLayer(int layer) {
    const std::string prefix = expand(m_names.layerPrefix, layer);
    const auto& attention = m_description.attention;
    const LayerSpec& spec = m_description.layerSpecs[static_cast<std::size_t>(layer)];
    const std::int64_t hidden = m_description.hiddenSize;
    LayerWeights weights;
    if (!m_names.inputNorm.empty()) weights.inputNorm = vector(prefix, m_names.inputNorm, hidden);
    weights.inputNormBias = normBias(prefix, m_names.inputNorm);
    weights.postAttentionNorm = vector(prefix, m_names.postAttentionNorm, hidden);
    weights.postAttentionNormBias = normBias(prefix, m_names.postAttentionNorm);
    if (m_description.order == BlockOrder::PostNorm)
      weights.postFeedForwardNorm = vector(prefix, m_names.postFeedForwardNorm, hidden);
    if (attention.latent) {
      mapLatent(prefix, *attention.latent, weights);
    } else {
      mapProjections(prefix, weights);
    }
    weights.output =
        weight(prefix, m_names.output, hidden, std::int64_t{attention.heads} * attention.valueDim);
    weights.outputBias = bias(prefix, m_names.output, hidden, attention.outputBias);
    if (attention.sinks) weights.sinks = vector(prefix, m_names.sinks, attention.heads);
    if (spec.router < 0) {
      weights.dense =
          mapGlu(prefix, m_names.denseGate, m_names.denseUp, m_names.denseDown, spec.denseIntermediateSize);
    } else {
      weights.moe = mapMoe(prefix, layer, m_description.routers[static_cast<std::size_t>(spec.router)]);
    }
    return weights;
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
    } else {
      weights.query = weight(prefix, m_names.query, queryWidth, hidden);
      weights.key = weight(prefix, m_names.key, keyWidth, hidden);
      weights.value = weight(prefix, m_names.value, keyWidth, hidden);
      weights.queryBias = bias(prefix, m_names.query, queryWidth, attention.qkvBias);
      weights.keyBias = bias(prefix, m_names.key, keyWidth, attention.qkvBias);
      weights.valueBias = bias(prefix, m_names.value, keyWidth, attention.qkvBias);
    }
    if (attention.qkNorm == QkNorm::None || attention.qkNorm == QkNorm::L2Post) return;
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

  ExpertWeights mapGlu(const std::string& prefix, std::string_view gate, std::string_view up,
                       std::string_view down, std::int64_t inner) {
    const std::int64_t hidden = m_description.hiddenSize;
    return {matrix(prefix, gate, inner, hidden),
            matrix(prefix, up, inner, hidden),
            matrix(prefix, down, hidden, inner),
            {},
            {},
            {}};
  }
  void mapMlpBiases(const std::string& prefix, std::string_view gate, std::string_view up,
                    std::string_view down, std::int64_t inner, ExpertWeights& to) {
    if (!m_description.mlpBias) return;
    const auto biasOf = [&](std::string_view weightName, std::int64_t rows) {
      return bias(prefix, weightName.substr(0, weightName.rfind('.')), rows);
    };
    to.gateBias = biasOf(gate, inner);
    to.upBias = biasOf(up, inner);
    to.downBias = biasOf(down, m_description.hiddenSize);
  }

  MoeWeights mapMoe(const std::string& prefix, int layer, RouterSpec& router) {
    const std::int64_t hidden = m_description.hiddenSize;
    MoeWeights moe;
    moe.router = weight(prefix, m_names.router, router.experts, hidden);
    moe.routerBias = bias(prefix, m_names.router, router.experts, m_description.routerBias);
    if (!m_names.selectionBias.empty()) readSelectionBias(prefix, router);
    mapShared(prefix, moe);
    if (m_description.experts.store == ExpertStore::Flat) {
      mapFlat(prefix, router.experts, moe);
      return moe;
    }
    if (!m_names.fusedGateUp.empty() &&
        (m_names.expertGate.empty() || find(prefix + std::string(m_names.fusedGateUp)) != nullptr)) {
      mapFused(prefix, router.experts, moe);
      return moe;
    }
    const std::int64_t inner = m_description.experts.intermediateSize;
    m_description.experts.store = ExpertStore::PerExpert;
    for (int expert = 0; expert < router.experts && m_missing < kStopAfter; ++expert) {
      moe.experts.push_back(mapGlu(prefix, expand(m_names.expertGate, layer, expert),
                                   expand(m_names.expertUp, layer, expert),
                                   expand(m_names.expertDown, layer, expert), inner));
    }
    return moe;
  }

  void mapShared(const std::string& prefix, MoeWeights& moe) {
    const SharedExpertSpec& shared = m_description.shared;
    const std::int64_t hidden = m_description.hiddenSize;
    if (shared.intermediateSize == 0) return;
    if (m_names.sharedGateUp.empty()) {
      moe.shared =
          mapGlu(prefix, m_names.sharedGate, m_names.sharedUp, m_names.sharedDown, shared.intermediateSize);
      mapMlpBiases(prefix, m_names.sharedGate, m_names.sharedUp, m_names.sharedDown, shared.intermediateSize,
                   moe.shared);
    } else {
      const TensorView both = matrix(prefix, m_names.sharedGateUp, 2LL * shared.intermediateSize, hidden);
      moe.shared.down = matrix(prefix, m_names.sharedDown, hidden, shared.intermediateSize);
      if (both.exists()) splitGateUp(both, shared.intermediateSize, false, moe.shared);
    }
    if (shared.gated) moe.sharedRouter = weight(prefix, m_names.sharedRouter, 1, hidden);
  }

  /// Rows [gate; up], or gate, up, gate, up, ...; for vectors as well.
  static void splitGateUp(const TensorView& both, std::int64_t inner, bool interleaved, ExpertWeights& to) {
    const bool isVector = both.shape.size() == 1;
    (isVector ? to.gateBias : to.gate) = slice(both, 0, 0, inner, interleaved ? 2 : 1);
    (isVector ? to.upBias : to.up) = slice(both, 0, interleaved ? 1 : inner, inner, interleaved ? 2 : 1);
  }

  void mapFused(const std::string& prefix, std::int64_t experts, MoeWeights& moe) {
    const std::int64_t hidden = m_description.hiddenSize;
    ExpertSpec& spec = m_description.experts;
    const std::int64_t inner = spec.intermediateSize;
    if (spec.store == ExpertStore::PerExpert) spec.store = ExpertStore::FusedOutIn;
    const bool isInOut = spec.store == ExpertStore::FusedInOut;
    const auto fused = [&](std::string_view name, std::int64_t out, std::int64_t in) {
      const std::vector<std::int64_t> shape{experts, isInOut ? in : out, isInOut ? out : in};
      return take(prefix + std::string(name), shape);
    };
    const auto biases = [&](std::string_view name, std::int64_t size) {
      return spec.bias ? take(fmt::format("{}{}_bias", prefix, name), {experts, size}) : TensorView{};
    };
    const TensorView gateUp = fused(m_names.fusedGateUp, 2 * inner, hidden);
    const TensorView down = fused(m_names.fusedDown, hidden, inner);
    const TensorView gateUpBias = biases(m_names.fusedGateUp, 2 * inner);
    const TensorView downBias = biases(m_names.fusedDown, hidden);
    if (!gateUp.exists() || !down.exists() || (spec.bias && (!gateUpBias.exists() || !downBias.exists())))
      return;
    const auto matrixOf = [&](const TensorView& all, std::int64_t expert) {
      const TensorView stored = part(all, expert);
      return isInOut ? transposed(stored) : stored;
    };
    for (std::int64_t expert = 0; expert < experts; ++expert) {
      ExpertWeights& to = moe.experts.emplace_back();
      splitGateUp(matrixOf(gateUp, expert), inner, spec.interleaved, to);
      to.down = matrixOf(down, expert);
      if (!spec.bias) continue;
      splitGateUp(part(gateUpBias, expert), inner, spec.interleaved, to);
      to.downBias = part(downBias, expert);
    }
  }

  /// All experts' rows one after the other; down is stored transposed.
  void mapFlat(const std::string& prefix, std::int64_t experts, MoeWeights& moe) {
    const std::int64_t hidden = m_description.hiddenSize;
    const std::int64_t inner = m_description.experts.intermediateSize;
    const TensorView gate = matrix(prefix, m_names.expertGate, experts * inner, hidden);
    const TensorView up = matrix(prefix, m_names.expertUp, experts * inner, hidden);
    const TensorView down = matrix(prefix, m_names.expertDown, experts * inner, hidden);
    if (!gate.exists() || !up.exists() || !down.exists()) return;
    for (std::int64_t expert = 0; expert < experts; ++expert) {
      ExpertWeights& to = moe.experts.emplace_back();
      to.gate = slice(gate, 0, expert * inner, inner);
      to.up = slice(up, 0, expert * inner, inner);
      to.down = transposed(slice(down, 0, expert * inner, inner));
    }
  }

  /// The bias belongs to the router's mathematics, not to the weights that are multiplied.
  void readSelectionBias(const std::string& prefix, RouterSpec& router) {
    const std::string name = prefix + std::string(m_names.selectionBias);
    const TensorView* stored = find(name);
    const bool isRow = stored != nullptr && stored->shape.size() == 2;  // ernie4_5_moe: [1, E]
    const TensorView view = isRow ? take(name, {1, router.experts}) : take(name, {router.experts});
    if (!view.exists()) return;
    router.selectionBias = floatsOf(view);
    for (std::size_t expert = 0; expert < router.selectionBias.size(); ++expert) {
      if (std::isfinite(router.selectionBias[expert])) continue;
      addProblem("tensor.non_finite", view.name,
                 fmt::format("{} of expert {} is {}", view.name, expert, router.selectionBias[expert]));
      return;
    }
  }

  void countParameters(const ModelWeights& weights) {
    std::int64_t total = 0;
    for (const auto& name : m_used) total += m_files.tensors.at(name).elementCount();
    std::int64_t idle = 0;
    for (const RouterSpec& router : m_description.routers) {
      const auto& experts = weights.layers[static_cast<std::size_t>(router.layer.value)].moe.experts;
      if (experts.empty()) continue;
      const std::int64_t one =
          experts[0].gate.elementCount() + experts[0].up.elementCount() + experts[0].down.elementCount();
      idle += one * (router.experts - router.topK);
    }
    m_description.parametersTotal = total;
    m_description.parametersActive = total - idle;
  }

  void warnUnused() {
    std::vector<std::string> unused;
    const std::string prefix =
        m_prefix + std::string(m_names.layerPrefix.substr(0, m_names.layerPrefix.find("{l}")));
    for (const auto& [name, tensor] : m_files.tensors) {
      if (m_used.contains(name) || m_spare.contains(name) || name.ends_with("rotary_emb.inv_freq")) continue;
      if (name.starts_with(prefix)) {  // layers past the last: multi-token prediction
        int layer = 0;
        const auto* end = name.data() + name.size();
        if (std::from_chars(name.data() + prefix.size(), end, layer).ec == std::errc{} &&
            layer >= m_description.layers)
          continue;
      }
      unused.push_back(shown(name));
    }
    if (unused.empty()) return;
    const std::size_t count = unused.size();
    unused.resize(std::min(count, kMaxWarned));
    m_description.warnings.push_back(fmt::format("{} tensors are not used: {}{}", count,
                                                 fmt::join(unused, ", "), count > kMaxWarned ? ", ..." : ""));
  }

  struct Problem {
    const char* kind;
    std::string file, text;
  };
  const CheckpointFiles& m_files;
  const NameMap& m_names;
  ModelDescription& m_description;
  std::string m_prefix;
  std::set<std::string> m_used;
  std::set<std::string> m_spare;  ///< known copies of a used tensor, not counted as parameters
  std::vector<Problem> m_problems;
  std::int64_t m_problemCount = 0;
  std::int64_t m_missing = 0;
};

}  // namespace

Result<ModelWeights> mapWeights(const CheckpointFiles& files, const NameMap& names,
                                ModelDescription& description) {
  return Mapper(files, names, description).map();
}

}  // namespace moescope::checkpoint
