#include "core/engine/torch/step_buffers.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/base/router_label.h"

namespace moescope::engine {

namespace {

constexpr float kUnseen = std::numeric_limits<float>::quiet_NaN();

std::size_t area(int rows, int columns) {
  return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
}

}  // namespace

StepBuffers::StepBuffers(const checkpoint::ModelDescription& description)
    : m_description(description), m_hidden(static_cast<std::size_t>(description.layers)) {
  for (const RouterSpec& spec : description.routers) m_routers.emplace_back(spec);
}

void StepBuffers::begin(const StepRequest& request, std::int64_t position,
                        std::shared_ptr<const steering::SteeringPlan> plan) {
  m_plan = std::move(plan);
  m_tokens = static_cast<int>(request.ids.size());
  m_position = position;
  m_decode = request.decode;
  m_taps = request.taps;
  m_inputs = request.inputs;
  m_wantsHidden = request.hidden;
  m_firstLogitRow = request.logits == LogitRows::All    ? 0
                    : request.logits == LogitRows::Last ? m_tokens - 1
                                                        : m_tokens;
  if (m_description.encoder && !m_decode) m_firstLogitRow = m_tokens;  // nothing is predicted of a source
  m_logits.resize(area(m_tokens - m_firstLogitRow, m_description.vocabularySize));

  for (std::size_t i = 0; i < m_routers.size(); ++i) {
    Router& router = m_routers[i];
    const RouterSpec& spec = router.native.spec();
    const bool steered = m_plan != nullptr && !m_plan->layers[i].empty();
    router.plan = steered ? &m_plan->layers[i] : nullptr;
    router.stride = steered ? spec.experts : spec.topK;
    router.logits.resize(area(m_tokens, spec.experts));
    router.ids.resize(area(m_tokens, router.stride));
    router.weights.resize(area(m_tokens, router.stride));
    router.nativeIds.resize(steered || m_description.capacity ? area(m_tokens, spec.topK) : 0);
    router.nativeWeights.resize(router.nativeIds.size());
    router.dropped.assign(m_description.capacity ? router.ids.size() : 0, -1);
    router.inputs.resize(m_inputs ? area(m_tokens, m_description.hiddenSize) : 0);
    router.scores.resize(m_inputs ? router.logits.size() : 0);
    router.selection.resize(router.scores.size());
    router.sharedGates.resize(m_description.shared.gated ? area(m_tokens, 1) : 0);
    if (m_description.encoder) blank(router);
  }
  for (auto& layer : m_hidden) {
    layer.resize(m_wantsHidden ? area(m_tokens, m_description.hiddenSize) : 0);
    if (m_description.encoder) std::ranges::fill(layer, kUnseen);
  }
}

void StepBuffers::blank(Router& router) {
  for (auto* ids : {&router.ids, &router.nativeIds}) std::ranges::fill(*ids, -1);
  for (auto* weights : {&router.weights, &router.nativeWeights}) std::ranges::fill(*weights, 0.0F);
  for (auto* values :
       {&router.logits, &router.inputs, &router.scores, &router.selection, &router.sharedGates})
    std::ranges::fill(*values, kUnseen);
}

float* StepBuffers::routerLogits(int router, int row) {
  Router& r = m_routers[static_cast<std::size_t>(router)];
  return r.logits.data() + area(row, r.native.spec().experts);
}

float* StepBuffers::routerInput(int router, int row) {
  if (!m_inputs) return nullptr;
  return m_routers[static_cast<std::size_t>(router)].inputs.data() + area(row, m_description.hiddenSize);
}

float* StepBuffers::sharedGate(int router, int row) {
  return m_routers[static_cast<std::size_t>(router)].sharedGates.data() + row;
}

float* StepBuffers::hidden(int layer, int row) {
  if (!m_wantsHidden) return nullptr;
  return m_hidden[static_cast<std::size_t>(layer)].data() + area(row, m_description.hiddenSize);
}

float* StepBuffers::logits(int row) {
  if (row < m_firstLogitRow) return nullptr;
  return m_logits.data() + area(row - m_firstLogitRow, m_description.vocabularySize);
}

Result<RoutedRows> StepBuffers::route(int index, int firstRow, int rows) {
  Router& router = m_routers[static_cast<std::size_t>(index)];
  const RouterSpec& spec = router.native.spec();
  for (int row = firstRow; row < firstRow + rows; ++row) {
    const float* logits = router.logits.data() + area(row, spec.experts);
    if (m_inputs) {
      router.native.score(logits, router.scores.data() + area(row, spec.experts));
      router.native.selection(logits, router.selection.data() + area(row, spec.experts));
    }
    if (router.plan == nullptr) {
      router.native.choose(logits, router.ids.data() + area(row, spec.topK),
                           router.weights.data() + area(row, spec.topK));
      if (router.nativeIds.empty()) continue;
      std::copy_n(router.ids.data() + area(row, spec.topK), spec.topK,
                  router.nativeIds.data() + area(row, spec.topK));
      std::copy_n(router.weights.data() + area(row, spec.topK), spec.topK,
                  router.nativeWeights.data() + area(row, spec.topK));
      continue;
    }
    router.native.choose(logits, router.nativeIds.data() + area(row, spec.topK),
                         router.nativeWeights.data() + area(row, spec.topK));
    if (auto steered = steerRow(router, row); !steered) return fail(std::move(steered).error());
  }
  if (m_description.capacity) dropBeyond(m_description.capacity->choices(rows, spec), router, firstRow, rows);
  return RoutedRows{router.ids.data() + area(firstRow, router.stride),
                    router.weights.data() + area(firstRow, router.stride), router.stride};
}

Result<void> StepBuffers::steerRow(Router& router, int row) {
  const RouterSpec& spec = router.native.spec();
  const steering::TokenScope token{m_decode, m_position + row};
  std::int32_t* ids = router.ids.data() + area(row, router.stride);
  float* weights = router.weights.data() + area(row, router.stride);
  std::fill_n(ids, router.stride, -1);
  std::fill_n(weights, router.stride, 0.0F);
  if (!router.plan->covers(token.decode, token.position)) {
    std::copy_n(router.nativeIds.data() + area(row, spec.topK), spec.topK, ids);
    std::copy_n(router.nativeWeights.data() + area(row, spec.topK), spec.topK, weights);
    return {};
  }
  const std::span<const float> logits(router.logits.data() + area(row, spec.experts),
                                      static_cast<std::size_t>(spec.experts));
  const steering::RouterChoice choice = steering::applyPlan(logits, *router.plan, token);
  // Only a COUNT rule may ask for no expert at all; compile() refuses bans of all, so this is a last guard.
  const bool mayBeEmpty = std::any_of(
      router.plan->steps.begin(), router.plan->steps.end(),
      [](const steering::PlanStep& step) { return step.primitive == steering::Primitive::Count; });
  if (choice.ids.empty() && !mayBeEmpty) {
    return fail("steering.all_banned", "", layerName(spec.layer, spec.encoderLayers),
                "the rules leave no expert for token " + std::to_string(token.position),
                "release an expert of this layer");
  }
  std::copy(choice.ids.begin(), choice.ids.end(), ids);
  std::copy(choice.weights.begin(), choice.weights.end(), weights);
  return {};
}

/// Spreads what a row's dropped choices weighed over the others, so that all weigh `before` again.
void StepBuffers::renormalise(Router& router, int row, float before) {
  const std::span weights(router.weights.data() + area(row, router.stride),
                          static_cast<std::size_t>(router.stride));
  const float left = std::accumulate(weights.begin(), weights.end(), 0.0F);
  if (left == before || left == 0.0F) return;
  for (float& weight : weights) weight *= before / left;
}

/// All rows' first choices take their places before all second ones; a choice without a place is dropped.
void StepBuffers::dropBeyond(std::int64_t capacity, Router& router, int firstRow, int rows) const {
  router.taken.assign(static_cast<std::size_t>(router.native.spec().experts), 0);
  const auto sumOf = [&](int row) {
    const auto first = router.weights.begin() + static_cast<std::ptrdiff_t>(area(row, router.stride));
    return std::accumulate(first, first + router.stride, 0.0F);
  };
  std::vector<float> before;
  for (int row = firstRow; m_description.capacity->renormalises && row < firstRow + rows; ++row)
    before.push_back(sumOf(row));
  for (int rank = 0; rank < router.stride; ++rank) {
    for (int row = firstRow; row < firstRow + rows; ++row) {
      const std::size_t slot = area(row, router.stride) + static_cast<std::size_t>(rank);
      const std::int32_t id = router.ids[slot];
      if (id < 0 || router.taken[static_cast<std::size_t>(id)]++ < capacity) continue;
      router.dropped[slot] = id;
      router.ids[slot] = -1;
      router.weights[slot] = 0.0F;
    }
  }
  for (std::size_t i = 0; i < before.size(); ++i)
    renormalise(router, firstRow + static_cast<int>(i), before[i]);
}

/// Cuts the rows of a steered router down to the largest choice of the step.
void StepBuffers::pack(Router& router) const {
  int width = 1;
  for (int row = 0; row < m_tokens; ++row) {
    const auto isUsed = [&](int rank) {
      const std::size_t slot = area(row, router.stride) + static_cast<std::size_t>(rank);
      return router.ids[slot] >= 0 || (!router.dropped.empty() && router.dropped[slot] >= 0);
    };
    while (width < router.stride && isUsed(width)) ++width;
  }
  for (int row = 1; row < m_tokens && width < router.stride; ++row) {
    std::copy_n(router.ids.data() + area(row, router.stride), width, router.ids.data() + area(row, width));
    std::copy_n(router.weights.data() + area(row, router.stride), width,
                router.weights.data() + area(row, width));
    if (router.dropped.empty()) continue;
    std::copy_n(router.dropped.data() + area(row, router.stride), width,
                router.dropped.data() + area(row, width));
  }
  router.stride = width;
}

StepOutput StepBuffers::finish() {
  StepOutput output;
  output.logits = m_logits;
  if (m_wantsHidden) output.hidden.assign(m_hidden.begin(), m_hidden.end());
  if (!m_taps) return output;
  output.routers.reserve(m_routers.size());
  for (Router& router : m_routers) {
    if (router.plan != nullptr) pack(router);
    RouterTap tap;
    tap.experts = router.native.spec().experts;
    tap.width = router.stride;
    tap.logits = router.logits;
    tap.ids = std::span(router.ids).first(area(m_tokens, router.stride));
    tap.weights = std::span(router.weights).first(area(m_tokens, router.stride));
    tap.nativeIds = router.nativeIds;
    tap.nativeWeights = router.nativeWeights;
    if (!router.dropped.empty()) tap.dropped = std::span(router.dropped).first(tap.ids.size());
    tap.input = router.inputs;
    tap.scores = router.scores;
    tap.selection = router.selection;
    tap.sharedGate = router.sharedGates;
    output.routers.push_back(tap);
  }
  return output;
}

}  // namespace moescope::engine
