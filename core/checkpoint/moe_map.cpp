#include "core/checkpoint/moe_map.h"

#include <cmath>

#include <fmt/format.h>

#include "core/checkpoint/float_values.h"

namespace moescope::checkpoint {

namespace {

/// Rows [gate; up], or gate, up, gate, up, ...; for vectors as well.
void splitGateUp(const TensorView& both, const ExpertSpec& spec, std::int64_t inner, ExpertWeights& to) {
  const bool isVector = both.shape.size() == 1;
  const std::int64_t step = spec.interleaved ? 2 : 1;
  (isVector ? to.gateBias : to.gate) = slice(both, 0, 0, inner, step);
  (isVector ? to.upBias : to.up) = slice(both, 0, spec.interleaved ? 1 : inner, inner, step);
}

/// A gate of double width: first the rows of what multiplies, then those of the gate.
void splitDoubleGate(const TensorView& both, std::int64_t inner, ExpertWeights& to) {
  if (!both.exists()) return;
  to.linear = slice(both, 0, 0, inner);
  to.gate = slice(both, 0, inner, inner);
}

class MoeMapper {
 public:
  MoeMapper(TensorSource& source, const NameMap& names, int layer, ModelDescription& description)
      : m_source(source),
        m_names(names),
        m_layer(layer),
        m_description(description),
        m_router(description.routers[static_cast<std::size_t>(
            description.layerSpecs[static_cast<std::size_t>(layer)].router)]),
        m_prefix(expandName(names.layerPrefix, layer)),
        m_hidden(description.hiddenSize),
        m_inner(description.experts.intermediateSize) {}

  MoeWeights map() {
    const std::string router = m_prefix + std::string(m_names.router);
    m_moe.router = m_names.routerParameter.empty()
                       ? m_source.take(router + ".weight", {m_router.experts, m_hidden})
                       : take(m_names.routerParameter, {m_router.experts, m_hidden});
    if (m_description.routerBias) m_moe.routerBias = m_source.take(router + ".bias", {m_router.experts});
    if (!m_names.selectionBias.empty()) readSelectionBias();
    if (m_description.shared.intermediateSize > 0) mapShared();
    mapExperts();
    return std::move(m_moe);
  }

 private:
  TensorView take(std::string_view name, const std::vector<std::int64_t>& shape) {
    return m_source.take(m_prefix + std::string(name), shape);
  }

  void mapExperts() {
    ExpertSpec& spec = m_description.experts;
    const std::string fused = m_prefix + std::string(m_names.fusedGateUp);
    if (spec.store == ExpertStore::Flat) return mapFlat();
    if (spec.store == ExpertStore::StackedInOut) return mapStackedInOut();
    if (m_description.quantisation.kind == Quantisation::Mxfp4 && m_source.find(fused + "_blocks") != nullptr)
      return mapMicroscaled();
    if (!m_names.stackedGate.empty() && m_source.find(m_prefix + std::string(m_names.stackedGate)) != nullptr)
      return mapStacked();
    if (m_names.expertGate.empty() || m_source.find(fused) != nullptr) return mapFused();
    spec.store = ExpertStore::PerExpert;
    for (int expert = 0; expert < m_router.experts && !m_source.isHopeless(); ++expert) {
      m_moe.experts.push_back(mapMlpWeights(expandName(m_names.expertGate, m_layer, expert),
                                            expandName(m_names.expertUp, m_layer, expert),
                                            expandName(m_names.expertDown, m_layer, expert)));
    }
  }

  ExpertWeights mapMlpWeights(std::string_view gate, std::string_view up, std::string_view down) {
    ExpertWeights expert;
    expert.gate = take(gate, {m_inner, m_hidden});
    expert.up = take(up, {m_inner, m_hidden});
    expert.down = take(down, {m_hidden, m_inner});
    return expert;
  }

  void mapShared() {
    const SharedExpertSpec& shared = m_description.shared;
    if (m_names.sharedGateUp.empty()) {
      m_moe.shared = mapMlp(m_source, m_description, m_prefix, m_names.sharedGate, m_names.sharedUp,
                            m_names.sharedDown, shared.intermediateSize);
    } else {
      const TensorView both = take(m_names.sharedGateUp, {2LL * shared.intermediateSize, m_hidden});
      m_moe.shared.down = take(m_names.sharedDown, {m_hidden, shared.intermediateSize});
      if (both.exists()) splitGateUp(both, {}, shared.intermediateSize, m_moe.shared);
    }
    if (shared.gated) m_moe.sharedRouter = take(std::string(m_names.sharedRouter) + ".weight", {1, m_hidden});
  }

  void mapFused() {
    ExpertSpec& spec = m_description.experts;
    if (spec.store == ExpertStore::PerExpert) spec.store = ExpertStore::FusedOutIn;
    const bool isInOut = spec.store == ExpertStore::FusedInOut;
    const auto fused = [&](std::string_view name, std::int64_t out, std::int64_t in) {
      return take(name, {m_router.experts, isInOut ? in : out, isInOut ? out : in});
    };
    const TensorView gateUp = fused(m_names.fusedGateUp, 2 * m_inner, m_hidden);
    const TensorView down = fused(m_names.fusedDown, m_hidden, m_inner);
    if (!gateUp.exists() || !down.exists()) return;
    const auto matrixOf = [&](const TensorView& all, std::int64_t expert) {
      const TensorView stored = part(all, expert);
      return isInOut ? transposed(stored) : stored;
    };
    for (std::int64_t expert = 0; expert < m_router.experts; ++expert) {
      ExpertWeights& to = m_moe.experts.emplace_back();
      splitGateUp(matrixOf(gateUp, expert), spec, m_inner, to);
      to.down = matrixOf(down, expert);
    }
    if (spec.bias) mapExpertBiases();
  }

  void mapStacked() {
    m_description.experts.store = ExpertStore::Stacked;
    const TensorView gate = take(m_names.stackedGate, {m_router.experts, m_inner, m_hidden});
    const TensorView up = take(m_names.stackedUp, {m_router.experts, m_inner, m_hidden});
    const TensorView down = take(m_names.stackedDown, {m_router.experts, m_hidden, m_inner});
    const auto biasOf = [&](std::string_view weight, std::int64_t rows) {
      if (!m_description.experts.bias) return TensorView{};
      return take(std::string(weight.substr(0, weight.rfind('.'))) + ".bias", {m_router.experts, rows});
    };
    const TensorView gateBias = biasOf(m_names.stackedGate, m_inner);
    const TensorView upBias = biasOf(m_names.stackedUp, m_inner);
    const TensorView downBias = biasOf(m_names.stackedDown, m_hidden);
    const auto partOf = [](const TensorView& all, std::int64_t expert) {
      return all.exists() ? part(all, expert) : TensorView{};
    };
    for (std::int64_t expert = 0; expert < m_router.experts; ++expert) {
      m_moe.experts.push_back({partOf(gate, expert),
                               partOf(up, expert),
                               partOf(down, expert),
                               partOf(gateBias, expert),
                               partOf(upBias, expert),
                               partOf(downBias, expert),
                               {}});
    }
  }

  void mapStackedInOut() {
    const TensorView gate = take(m_names.stackedGate, {m_router.experts, m_hidden, 2 * m_inner});
    const TensorView up = take(m_names.stackedUp, {m_router.experts, m_hidden, m_inner});
    const TensorView down = take(m_names.stackedDown, {m_router.experts, m_inner, m_hidden});
    if (!gate.exists() || !up.exists() || !down.exists()) return;
    for (std::int64_t expert = 0; expert < m_router.experts; ++expert) {
      ExpertWeights& to = m_moe.experts.emplace_back();
      splitDoubleGate(transposed(part(gate, expert)), m_inner, to);
      to.up = transposed(part(up, expert));
      to.down = transposed(part(down, expert));
    }
  }

  void mapMicroscaled() {
    const auto takeBoth = [&](std::string_view name, std::int64_t rows, std::int64_t columns) {
      return m_source.takeMicroscaled(m_prefix + std::string(name), m_router.experts, rows, columns);
    };
    const Microscaled gateUp = takeBoth(m_names.fusedGateUp, 2 * m_inner, m_hidden);
    const Microscaled down = takeBoth(m_names.fusedDown, m_hidden, m_inner);
    if (!gateUp.exists() || !down.exists()) return;
    const bool isInterleaved = m_description.experts.interleaved;
    for (std::int64_t expert = 0; expert < m_router.experts; ++expert) {
      ExpertWeights& to = m_moe.experts.emplace_back();
      to.gate = gateUp.rowsOf(expert, 0, m_inner, isInterleaved ? 2 : 1);
      to.up = gateUp.rowsOf(expert, isInterleaved ? 1 : m_inner, m_inner, isInterleaved ? 2 : 1);
      to.down = down.rowsOf(expert, 0, m_hidden, 1);
    }
    if (m_description.experts.bias) mapExpertBiases();
  }

  void mapExpertBiases() {
    const TensorView gateUp =
        take(std::string(m_names.fusedGateUp) + "_bias", {m_router.experts, 2 * m_inner});
    const TensorView down = take(std::string(m_names.fusedDown) + "_bias", {m_router.experts, m_hidden});
    if (!gateUp.exists() || !down.exists()) return;
    for (std::int64_t expert = 0; expert < m_router.experts; ++expert) {
      ExpertWeights& to = m_moe.experts[static_cast<std::size_t>(expert)];
      splitGateUp(part(gateUp, expert), m_description.experts, m_inner, to);
      to.downBias = part(down, expert);
    }
  }

  /// All experts' rows one after the other; down is stored transposed.
  void mapFlat() {
    const std::int64_t rows = m_router.experts * m_inner;
    const TensorView gate = take(m_names.expertGate, {rows, m_hidden});
    const TensorView up = take(m_names.expertUp, {rows, m_hidden});
    const TensorView down = take(m_names.expertDown, {rows, m_hidden});
    if (!gate.exists() || !up.exists() || !down.exists()) return;
    for (std::int64_t expert = 0; expert < m_router.experts; ++expert) {
      ExpertWeights& to = m_moe.experts.emplace_back();
      to.gate = slice(gate, 0, expert * m_inner, m_inner);
      to.up = slice(up, 0, expert * m_inner, m_inner);
      to.down = transposed(slice(down, 0, expert * m_inner, m_inner));
    }
  }

  /// The bias belongs to the router's mathematics, not to the weights that are multiplied.
  void readSelectionBias() {
    const std::string name = m_prefix + std::string(m_names.selectionBias);
    const TensorView* stored = m_source.find(name);
    const bool isRow = stored != nullptr && stored->shape.size() == 2;  // ernie4_5_moe: [1, E]
    const TensorView view =
        isRow ? m_source.take(name, {1, m_router.experts}) : m_source.take(name, {m_router.experts});
    m_router.selectionBias = floatsOf(view);
    for (std::size_t expert = 0; expert < m_router.selectionBias.size(); ++expert) {
      const float bias = m_router.selectionBias[expert];
      if (std::isfinite(bias)) continue;
      m_source.addProblem("tensor.non_finite", view.name,
                          fmt::format("{} of expert {} is {}", view.name, expert, bias));
      return;
    }
  }

  TensorSource& m_source;
  const NameMap& m_names;
  int m_layer;
  ModelDescription& m_description;
  RouterSpec& m_router;
  std::string m_prefix;
  std::int64_t m_hidden, m_inner;
  MoeWeights m_moe;
};

}  // namespace

std::string expandName(std::string_view pattern, int layer, int expert) {
  std::string name(pattern);
  const auto replace = [&name](std::string_view mark, int number) {
    if (const auto at = name.find(mark); at != std::string::npos)
      name.replace(at, mark.size(), std::to_string(number));
  };
  replace("{l}", layer);
  replace("{e}", expert);
  return name;
}

ExpertWeights mapMlp(TensorSource& source, const ModelDescription& description, const std::string& prefix,
                     std::string_view gate, std::string_view up, std::string_view down, std::int64_t width) {
  const std::int64_t hidden = description.hiddenSize;
  const auto weight = [&](std::string_view name, std::int64_t rows, std::int64_t columns) {
    return source.take(prefix + std::string(name), {rows, columns});
  };
  const auto bias = [&](std::string_view weightName, std::int64_t rows) {
    const std::string name(weightName.substr(0, weightName.rfind('.')));
    return description.mlpBias ? source.take(prefix + name + ".bias", {rows}) : TensorView{};
  };
  const bool isDouble = description.experts.activation == Activation::DoubleGate;
  ExpertWeights mlp{weight(gate, isDouble ? 2 * width : width, hidden),
                    weight(up, width, hidden),
                    weight(down, hidden, width),
                    bias(gate, width),
                    bias(up, width),
                    bias(down, hidden),
                    {}};
  if (isDouble) splitDoubleGate(TensorView(mlp.gate), width, mlp);
  return mlp;
}

MoeWeights mapMoe(TensorSource& source, const NameMap& names, int layer, ModelDescription& description) {
  return MoeMapper(source, names, layer, description).map();
}

}  // namespace moescope::checkpoint
