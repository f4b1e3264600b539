#include "tests/support/routing_trace.h"

#include <QtGlobal>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/steering/steering_program.h"

namespace moescope::trace {

namespace {

constexpr std::array kWords{
    " The",    " scattered", " out",  " of",       " the",     " beam", ",",       " not",
    " light",  " that",      " came", " straight", " through", ".",     "\n",      " On",
    " worlds", " with",      " a",    " thinner",  " atmos",   "phere", " such",   " as",
    " Mars",   " order",     " is",   " reversed", " and",     " glow", " around", " setting",
    " sun",    " turns",     " blau", " Köln",     " 夕日",    " \xE2", "\t",      " mechanism"};

template <class T>
T must(Result<T> result) {
  if (!result) qFatal("%s", result.error().text().c_str());
  return std::move(*result);
}
void must(const Result<void>& result) {
  if (!result) qFatal("%s", result.error().text().c_str());
}

}  // namespace

RoutingTrace::RoutingTrace(TraceStore& store, Shape shape)
    : m_shape(std::move(shape)), m_random(m_shape.seed) {
  std::normal_distribution<float> bias(0.0F, 0.35F);
  for (int layer = 0; layer < m_shape.layers; ++layer) {
    RouterSpec router;
    router.layer = {layer};
    router.experts = m_shape.experts;
    router.topK = m_shape.topK;
    m_routers.push_back(router);
    auto& row = m_bias.emplace_back();
    for (int expert = 0; expert < m_shape.experts; ++expert) row.push_back(bias(m_random));
  }
  ModelRecord model;
  model.family = "olmoe";
  model.name = "test";
  model.weightsFingerprint = std::to_string(m_shape.experts) + "x" + std::to_string(m_shape.layers);
  model.routers = m_routers;
  RunRecord run;
  run.name = m_shape.name;
  run.kind = m_shape.kind;
  run.capture = m_shape.capture;
  m_recorder = must(store.startRun(model, run));
  m_recorder->beginSequence({m_shape.prompt, "", {}});
}

RoutingTrace::~RoutingTrace() { end(); }

RunId RoutingTrace::run() const { return m_recorder->run(); }

std::string RoutingTrace::text(std::int32_t id) { return kWords[static_cast<std::size_t>(id)]; }

void RoutingTrace::append(int tokens) {
  std::uniform_int_distribution<int> word(0, static_cast<int>(kWords.size()) - 1);
  std::exponential_distribution<float> surprise(0.5F);
  std::vector<TokenRow> rows;
  std::vector<std::string> bytes;
  for (int i = 0; i < tokens; ++i) {
    TokenRow row;
    row.id = word(m_random);
    row.position = static_cast<std::int32_t>(m_tokens.size());
    row.phase = row.position < m_shape.prompt ? Phase::Prefill : Phase::Decode;
    if (row.position > 0) row.logProb = -surprise(m_random);
    for (int a = 0; a < kAlternatives; ++a) {
      row.alternativeIds[static_cast<std::size_t>(a)] = (row.id + a) % static_cast<int>(kWords.size());
      row.alternativeLogProbs[static_cast<std::size_t>(a)] = -0.5F - static_cast<float>(a);
    }
    m_tokens.push_back(row);
    auto& choices = m_rows.emplace_back();
    for (int layer = 0; layer < m_shape.layers; ++layer) choices.push_back(draw(layer));
    rows.push_back(row);
    bytes.push_back(text(row.id));
  }
  must(m_recorder->appendTokens(rows, bytes));
  route(static_cast<std::int64_t>(m_tokens.size()) - 1);
}

RoutingTrace::Choice RoutingTrace::draw(int layer) {
  std::normal_distribution<float> noise(0.0F, 1.0F);
  Choice choice;
  for (const float bias : m_bias[static_cast<std::size_t>(layer)])
    choice.logits.push_back(bias + noise(m_random));
  std::vector<std::int32_t> order(choice.logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::erase_if(order, [&](std::int32_t expert) {
    return std::ranges::find(m_banned, std::pair(layer, static_cast<int>(expert))) != m_banned.end();
  });
  std::ranges::stable_sort(order, [&](auto a, auto b) {
    return choice.logits[static_cast<std::size_t>(a)] > choice.logits[static_cast<std::size_t>(b)];
  });
  order.resize(static_cast<std::size_t>(m_shape.topK));
  double sum = 0.0;
  for (const float logit : choice.logits) sum += std::exp(static_cast<double>(logit));
  for (const std::int32_t id : order) {
    choice.weights.push_back(
        static_cast<float>(std::exp(static_cast<double>(choice.logits[static_cast<std::size_t>(id)])) / sum));
  }
  choice.ids = std::move(order);
  return choice;
}

void RoutingTrace::route(std::int64_t end) {
  if (end <= m_routed) return;
  RoutingBatch batch;
  batch.firstToken = m_routed;
  batch.count = static_cast<int>(end - m_routed);
  const std::vector<float> entropies(static_cast<std::size_t>(batch.count), 1.5F);
  batch.entropyAfter = entropies;
  std::vector<Choice> columns(m_routers.size());
  for (std::size_t layer = 0; layer < m_routers.size(); ++layer) {
    Choice& column = columns[layer];
    for (std::int64_t row = m_routed; row < end; ++row) {
      const Choice& choice = m_rows[static_cast<std::size_t>(row)][layer];
      column.logits.insert(column.logits.end(), choice.logits.begin(), choice.logits.end());
      column.ids.insert(column.ids.end(), choice.ids.begin(), choice.ids.end());
      column.weights.insert(column.weights.end(), choice.weights.begin(), choice.weights.end());
    }
    batch.routers.push_back({m_shape.topK, column.logits, column.ids, column.weights, {}, {}});
  }
  must(m_recorder->appendRouting(batch));
  m_routed = end;
}

void RoutingTrace::ban(int layer, int expert) {
  m_banned.emplace_back(layer, expert);
  steering::SteeringProgram program;
  for (const auto& [l, e] : m_banned) program.rules.push_back(steering::banRule(program, {{l}, {e}}));
  must(m_recorder->steeringChanged(toJson(program).dump(), false));
}

void RoutingTrace::end() {
  if (m_ended) return;
  m_ended = true;
  route(static_cast<std::int64_t>(m_tokens.size()));
  must(m_recorder->endSequence(true));
  must(m_recorder->end(RunStatus::Closed));
}

std::int64_t RoutingTrace::count(int layer, int expert, std::int64_t begin, std::int64_t end) const {
  std::int64_t chosen = 0;
  for (std::int64_t row = begin; row < end; ++row) {
    const auto& ids = m_rows[static_cast<std::size_t>(row)][static_cast<std::size_t>(layer)].ids;
    chosen += std::ranges::count(ids, expert);
  }
  return chosen;
}

}  // namespace moescope::trace
