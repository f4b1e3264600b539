#include "core/engine/generation/forwarded_sequence.h"

#include <algorithm>

#include "core/engine/generation/prompt_tokens.h"

namespace moescope::engine {

ForwardedSequence::ForwardedSequence(std::shared_ptr<Model> model, std::unique_ptr<Session> session,
                                     std::shared_ptr<const tokenizer::Tokenizer> tokenizer)
    : m_model(std::move(model)),
      m_session(std::move(session)),
      m_tokenizer(std::move(tokenizer)),
      m_chunk(prefillChunk(*m_model)),
      m_vocabulary(m_model->checkpoint().description().vocabularySize) {}

void ForwardedSequence::start(std::vector<std::int32_t> ids, std::int64_t promptLength) {
  m_session->rewind(0);
  m_ids = std::move(ids);
  m_promptLength = promptLength;
  m_rows.assign(m_ids.size(), {});
  for (std::size_t i = 0; i < m_ids.size(); ++i) {
    m_rows[i].id = m_ids[i];
    m_rows[i].position = static_cast<std::int32_t>(i);
    m_rows[i].phase =
        static_cast<std::int64_t>(i) < promptLength ? trace::Phase::Prefill : trace::Phase::Decode;
  }
  m_lastLogits = {};
  m_recordedRows = 0;
  m_firstSteered = -1;
  m_effectMarks.assign(1, {0, m_effects});
}

void ForwardedSequence::record(trace::RunRecorder* recorder, std::int32_t ordinal, std::int64_t firstRow) {
  m_recorder = recorder;
  m_firstRow = firstRow;
  m_recordedRows = position();
  m_recordingError.reset();
  for (auto& row : m_rows) row.sequence = ordinal;
}

void ForwardedSequence::setPlan(std::shared_ptr<const steering::SteeringPlan> plan) {
  m_plan = plan != nullptr && !plan->empty() ? std::move(plan) : nullptr;
  m_session->setPlan(m_plan);
}

Result<void> ForwardedSequence::forwardTo(std::int64_t end, std::stop_token stop) {
  const std::int64_t begin = position();
  while (position() < end) {
    if (stop.stop_requested()) return fail("cancelled", "", "", "stopped before the end");
    const bool decode = position() >= m_promptLength;
    const std::int64_t chunkEnd =
        decode ? position() + 1 : std::min(aligned(position()) + m_chunk, m_promptLength);
    const bool isSource = !decode && m_model->checkpoint().description().encoder.has_value();
    if (auto done = forwardStep(isSource ? m_promptLength : std::min(chunkEnd, end), decode); !done)
      return done;
    if (m_progress && end - begin > 1) m_progress({"Reading the prompt", position(), end, "tokens"});
  }
  return {};
}

Result<void> ForwardedSequence::forwardStep(std::int64_t end, bool decode) {
  const std::int64_t begin = position();
  StepRequest request;
  request.ids =
      std::span(m_ids).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
  request.decode = decode;
  // Always the same rows, recorded or not: the head's rounding may depend on how many it computes.
  request.logits = decode ? LogitRows::Last : LogitRows::All;
  request.taps = m_recorder != nullptr || m_plan != nullptr || m_observer != nullptr;
  const auto output = m_session->forward(request);
  if (!output) return fail(output.error());
  noteFacts(begin, end, output->logits);
  if (m_plan != nullptr) noteSteering(begin, end, decode, *output);
  if (m_recorder != nullptr) recordStep(begin, end, *output);
  if (m_observer) m_observer(begin, static_cast<int>(end - begin), *output);
  return {};
}

void ForwardedSequence::noteFacts(std::int64_t begin, std::int64_t end, std::span<const float> logits) {
  const auto width = static_cast<std::size_t>(m_vocabulary);
  m_entropies.clear();
  if (logits.empty()) {  // an encoder's input predicts nothing
    m_entropies.assign(static_cast<std::size_t>(end - begin), trace::kMissing);
    m_lastLogits = {};
    return;
  }
  for (std::int64_t i = begin; i < end; ++i) {
    m_lastLogits = logits.subspan(static_cast<std::size_t>(i - begin) * width, width);
    m_lastFacts = distributionFacts(m_lastLogits);
    m_entropies.push_back(m_lastFacts.entropy);
    const auto next = static_cast<std::size_t>(i) + 1;
    if (next >= m_rows.size()) continue;
    m_rows[next].logProb = m_lastFacts.logProb(m_lastLogits[static_cast<std::size_t>(m_ids[next])]);
    if (!m_alternatives) continue;
    m_rows[next].alternativeIds = m_lastFacts.bestIds;
    m_rows[next].alternativeLogProbs = m_lastFacts.bestLogProbs;
  }
}

void ForwardedSequence::noteSteering(std::int64_t begin, std::int64_t end, bool decode,
                                     const StepOutput& output) {
  for (std::int64_t i = begin; m_firstSteered < 0 && i < end; ++i) {
    if (covers(*m_plan, i)) m_firstSteered = i;
  }
  steering::RouterChoice native;
  const std::size_t routers = std::min(output.routers.size(), m_plan->layers.size());
  for (std::size_t r = 0; r < routers; ++r) {
    const auto& tap = output.routers[r];
    const auto& layer = m_plan->layers[r];
    if (layer.empty() || tap.nativeIds.empty()) continue;
    const auto topK = static_cast<std::size_t>(layer.router.topK);
    const auto width = static_cast<std::size_t>(tap.width);
    for (std::int64_t i = begin; i < end; ++i) {
      const auto row = static_cast<std::size_t>(i - begin);
      const auto nativeIds = tap.nativeIds.subspan(row * topK, topK);
      if (nativeIds.front() < 0) continue;  // the router did not see the token
      const auto nativeWeights = tap.nativeWeights.subspan(row * topK, topK);
      native.ids.assign(nativeIds.begin(), nativeIds.end());
      native.weights.assign(nativeWeights.begin(), nativeWeights.end());
      auto ids = tap.ids.subspan(row * width, width);
      std::vector<std::int32_t> chosen(ids.begin(), ids.end());
      // What a rule did is a choice, whether or not its expert had a place left.
      for (std::size_t rank = 0; rank < width && !tap.dropped.empty(); ++rank)
        chosen[rank] = std::max(chosen[rank], tap.dropped[row * width + rank]);
      while (!chosen.empty() && chosen.back() < 0) chosen.pop_back();
      steering::accumulateEffects(layer, {decode, i}, chosen, native, m_effects);
    }
  }
  m_effectMarks.push_back({end, m_effects});
}

void ForwardedSequence::recordStep(std::int64_t begin, std::int64_t end, const StepOutput& output) {
  // The row after the step is known too, where there is one: it becomes the pending row.
  recordRows(std::min<std::int64_t>(end + 1, static_cast<std::int64_t>(m_rows.size())));
  if (m_recorder == nullptr) return;
  if (m_effectsRecorded && m_plan != nullptr) m_recorder->setRuleEffects(m_effects);
  trace::RoutingBatch batch;
  batch.firstToken = m_firstRow + begin;
  batch.count = static_cast<int>(end - begin);
  batch.entropyAfter = m_entropies;
  batch.routers.reserve(output.routers.size());
  for (const auto& tap : output.routers) {
    batch.routers.push_back({tap.width, tap.logits, tap.ids, tap.weights, tap.nativeIds, tap.nativeWeights});
  }
  check(m_recorder->appendRouting(batch));
}

void ForwardedSequence::recordRows(std::int64_t end) {
  if (m_recorder == nullptr || m_recordedRows >= end) return;
  std::vector<std::string> bytes;
  bytes.reserve(static_cast<std::size_t>(end - m_recordedRows));
  for (std::int64_t i = m_recordedRows; i < end; ++i) {
    bytes.push_back(m_tokenizer->bytes(m_ids[static_cast<std::size_t>(i)]));
  }
  const auto rows = std::span(m_rows).subspan(static_cast<std::size_t>(m_recordedRows), bytes.size());
  const auto first = m_recorder->appendTokens(rows, bytes);
  if (first) {
    m_recordedRows = end;
  } else {
    check(fail(first.error()));
  }
}

void ForwardedSequence::check(Result<void> written) {
  if (written) return;
  m_recordingError = written.error();  // e.g. the disk is full: the model goes on
  m_recorder = nullptr;
}

void ForwardedSequence::append(std::int32_t id) {
  trace::TokenRow row;
  row.id = id;
  row.sequence = m_rows.empty() ? 0 : m_rows.front().sequence;
  row.position = static_cast<std::int32_t>(m_ids.size());
  row.phase = trace::Phase::Decode;
  row.logProb = m_lastFacts.logProb(m_lastLogits[static_cast<std::size_t>(id)]);
  row.alternativeIds = m_lastFacts.bestIds;
  row.alternativeLogProbs = m_lastFacts.bestLogProbs;
  m_ids.push_back(id);
  m_rows.push_back(row);
  recordRows(static_cast<std::int64_t>(m_rows.size()));
}

std::int64_t ForwardedSequence::aligned(std::int64_t position) const {
  return position < m_promptLength ? position - position % m_chunk : position;
}

std::int64_t ForwardedSequence::rewind(std::int64_t position) {
  const std::int64_t target = std::min(aligned(position), this->position());
  m_session->rewind(target);
  m_lastLogits = {};
  m_recordedRows = std::min(m_recordedRows, target);
  if (m_firstSteered >= target) m_firstSteered = -1;
  while (m_effectMarks.back().end > target) m_effectMarks.pop_back();
  m_effects = m_effectMarks.back().effects;
  return target;
}

void ForwardedSequence::cut(std::int64_t end) {
  if (end >= static_cast<std::int64_t>(m_ids.size())) return;
  m_promptLength = std::min(m_promptLength, end);
  m_ids.resize(static_cast<std::size_t>(end));
  m_rows.resize(static_cast<std::size_t>(end));
}

bool ForwardedSequence::covers(const steering::SteeringPlan& plan, std::int64_t position) const {
  const bool decode = position >= m_promptLength;
  return std::any_of(plan.layers.begin(), plan.layers.end(),
                     [&](const auto& layer) { return layer.covers(decode, position); });
}

std::int64_t ForwardedSequence::firstCovered(const steering::SteeringPlan& plan, std::int64_t end) const {
  for (std::int64_t i = 0; i < end; ++i) {
    if (covers(plan, i)) return i;
  }
  return -1;
}

void ForwardedSequence::keepEffects(const std::function<bool(std::int64_t)>& keep) {
  const auto drop = [&](auto& effects) {
    std::erase_if(effects, [&](const auto& effect) { return !keep(effect.ruleId); });
  };
  drop(m_effects);
  for (auto& mark : m_effectMarks) drop(mark.effects);
}

}  // namespace moescope::engine
