#include "core/checkpoint/weight_map.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

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

/// Rows [first, first + count) of the first axis, with that axis dropped if count is 0.
TensorView slice(const TensorView& tensor, std::int64_t first, std::int64_t count, bool dropAxis) {
  TensorView part = tensor;
  const std::size_t rowBytes = tensor.bytes.size() / static_cast<std::size_t>(tensor.shape[0]);
  part.bytes = tensor.bytes.subspan(static_cast<std::size_t>(first) * rowBytes,
                                    static_cast<std::size_t>(count) * rowBytes);
  if (dropAxis) {
    part.shape.erase(part.shape.begin());
  } else {
    part.shape[0] = count;
  }
  return part;
}

class Mapper {
 public:
  Mapper(const CheckpointFiles& files, const NameMap& names, ModelDescription& description)
      : m_files(files), m_names(names), m_description(description) {}

  Result<ModelWeights> map() {
    // A config may ask for far more layers and experts than any file has; the file bounds the work.
    const std::int64_t hidden = m_description.hiddenSize;
    ModelWeights weights;
    weights.embedding = take(m_names.embedding, {m_description.vocabularySize, hidden});
    weights.finalNorm = take(m_names.finalNorm, {hidden});
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

  const TensorView* find(const std::string& name) const {
    const auto found = m_files.tensors.find(name);
    return found == m_files.tensors.end() ? nullptr : &found->second;
  }

  TensorView take(std::string_view name, const std::vector<std::int64_t>& shape) {
    const std::string key(name);
    const TensorView* tensor = find(key);
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
      m_spare.insert(std::string(m_names.head));
      return embedding;
    }
    m_description.warnings.push_back(
        fmt::format("config.json ties the output head to the embedding, but the file holds a different {}; "
                    "the file's head is used",
                    m_names.head));
    m_description.tiedHead = false;
    return take(m_names.head, {m_description.vocabularySize, m_description.hiddenSize});
  }

  LayerWeights mapLayer(int layer) {
    const std::string prefix = expand(m_names.layerPrefix, layer);
    const auto& attention = m_description.attention;
    const std::int64_t hidden = m_description.hiddenSize;
    const std::int64_t queryWidth = std::int64_t{attention.heads} * attention.headDim;
    const std::int64_t keyWidth = std::int64_t{attention.keyValueHeads} * attention.headDim;
    const auto weight = [&](std::string_view name, std::int64_t rows, std::int64_t columns) {
      return take(fmt::format("{}{}.weight", prefix, name), {rows, columns});
    };
    const auto bias = [&](std::string_view name, std::int64_t rows, bool wanted) {
      return wanted ? take(fmt::format("{}{}.bias", prefix, name), {rows}) : TensorView{};
    };
    LayerWeights weights;
    weights.inputNorm = take(prefix + std::string(m_names.inputNorm), {hidden});
    weights.postAttentionNorm = take(prefix + std::string(m_names.postAttentionNorm), {hidden});
    weights.query = weight(m_names.query, queryWidth, hidden);
    weights.key = weight(m_names.key, keyWidth, hidden);
    weights.value = weight(m_names.value, keyWidth, hidden);
    weights.output = weight(m_names.output, hidden, queryWidth);
    weights.queryBias = bias(m_names.query, queryWidth, attention.qkvBias);
    weights.keyBias = bias(m_names.key, keyWidth, attention.qkvBias);
    weights.valueBias = bias(m_names.value, keyWidth, attention.qkvBias);
    weights.outputBias = bias(m_names.output, hidden, attention.outputBias);
    if (attention.qkNorm != QkNorm::None) {
      const bool full = attention.qkNorm == QkNorm::FullPre;
      weights.queryNorm =
          take(prefix + std::string(m_names.queryNorm), {full ? queryWidth : attention.headDim});
      weights.keyNorm = take(prefix + std::string(m_names.keyNorm), {full ? keyWidth : attention.headDim});
    }
    if (const RouterSpec* router = m_description.routerOfLayer({layer}))
      weights.moe = mapMoe(prefix, layer, *router);
    return weights;
  }

  MoeWeights mapMoe(const std::string& prefix, int layer, const RouterSpec& router) {
    const std::int64_t hidden = m_description.hiddenSize;
    const std::int64_t inner = m_description.experts.intermediateSize;
    MoeWeights moe;
    moe.router = take(prefix + std::string(m_names.router), {router.experts, hidden});
    const std::string fusedName = prefix + std::string(m_names.fusedGateUp);
    if (!m_names.fusedGateUp.empty() && find(fusedName) != nullptr) {
      m_description.experts.store = ExpertStore::FusedOutIn;
      const TensorView gateUp = take(fusedName, {router.experts, 2 * inner, hidden});
      const TensorView down = take(prefix + std::string(m_names.fusedDown), {router.experts, hidden, inner});
      if (!gateUp.exists() || !down.exists()) return moe;
      for (int expert = 0; expert < router.experts; ++expert) {
        const TensorView both = slice(gateUp, expert, 1, true);
        moe.experts.push_back(
            {slice(both, 0, inner, false), slice(both, inner, inner, false), slice(down, expert, 1, true)});
      }
      return moe;
    }
    m_description.experts.store = ExpertStore::PerExpert;
    for (int expert = 0; expert < router.experts && m_missing < kStopAfter; ++expert) {
      moe.experts.push_back({take(prefix + expand(m_names.expertGate, layer, expert), {inner, hidden}),
                             take(prefix + expand(m_names.expertUp, layer, expert), {inner, hidden}),
                             take(prefix + expand(m_names.expertDown, layer, expert), {hidden, inner})});
    }
    return moe;
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
    const std::string prefix = std::string(m_names.layerPrefix.substr(0, m_names.layerPrefix.find("{l}")));
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
