#include "core/trace/token_walk.h"

#include <algorithm>

namespace moescope::trace {

void TokenWalk::begin(const Narrowing& narrowing, Wanted wanted) {
  m_narrowing = narrowing;
  m_wanted = wanted;
  m_nextRun = 0;
  m_atEnd = narrowing.nothing || !enterRun();
  if (!m_atEnd) settle();
}

bool TokenWalk::enterRun() {
  while (m_nextRun < m_context.runs().size()) {
    const RunId id = m_context.runs()[m_nextRun++];
    if (m_narrowing.run && *m_narrowing.run != id) continue;
    m_run = m_context.run(id);
    if (!m_run) continue;
    m_token = std::max<std::int64_t>(m_narrowing.tokenBegin, 0);
    m_end = std::min(m_narrowing.tokenEnd, m_run->run.tokens);
    if (m_narrowing.sequence) {
      if (*m_narrowing.sequence < 0 || *m_narrowing.sequence > std::numeric_limits<std::int32_t>::max())
        continue;
      const auto found = m_run->sequences.find(static_cast<std::int32_t>(*m_narrowing.sequence));
      if (found == m_run->sequences.end()) continue;
      m_token = std::max(m_token, found->second.firstToken);
      m_sequenceLeft = found->second.length;
    }
    m_routers.clear();
    for (int r = 0; r < static_cast<int>(m_run->routers.size()); ++r) {
      if (m_narrowing.allows(m_run->routers[static_cast<std::size_t>(r)], r)) m_routers.push_back(r);
    }
    m_block = -1;
    if (m_token < m_end && (!m_wanted.routes || !m_routers.empty())) return true;
  }
  return false;
}

void TokenWalk::loadBlock() {
  const std::int64_t block = m_token / kBlockTokens;
  if (block == m_block) return;
  m_block = block;
  const RunId run = m_run->run.id;
  BlockSource& source = m_context.blocks(*m_run);
  m_tokens = source.tokenBlock(run, block);
  m_routes.clear();
  m_logits.clear();
  for (const int router : m_routers) {
    if (m_wanted.routes) m_routes.push_back(source.routeBlock(run, router, block));
    if (m_wanted.logits && m_run->run.capture == CaptureLevel::Full)
      m_logits.push_back(source.logitBlock(run, router, block));
  }
}

bool TokenWalk::matchesSequence() {
  if (!m_narrowing.sequence) return true;
  const TokenBlock* block = tokens();
  if (block == nullptr || block->sequences[row()] != *m_narrowing.sequence) return false;
  // After its last row a sequence has no more; sequences of imported traffic may be interleaved.
  if (--m_sequenceLeft == 0) m_end = m_token + 1;
  return true;
}

void TokenWalk::settle() {
  while (true) {
    while (m_token >= m_end) {
      if (!enterRun()) {
        m_atEnd = true;
        return;
      }
    }
    if (m_token / kBlockTokens != m_block && m_context.isStopped()) {
      m_atEnd = true;
      return;
    }
    loadBlock();
    if (matchesSequence()) return;
    ++m_token;
  }
}

void TokenWalk::next() {
  ++m_token;
  settle();
}

const TokenBlock* TokenWalk::tokens() const {
  const bool present = m_tokens && !m_tokens->damaged && row() < static_cast<std::size_t>(m_tokens->count);
  return present ? m_tokens.get() : nullptr;
}

const RouteBlock* TokenWalk::route(std::size_t i) const {
  const auto& block = m_routes[i];
  const bool present = block && !block->damaged && row() < static_cast<std::size_t>(block->count);
  return present ? block.get() : nullptr;
}

const LogitBlock* TokenWalk::logits(std::size_t i) const {
  if (i >= m_logits.size()) return nullptr;
  const auto& block = m_logits[i];
  const bool present = block && !block->damaged && row() < static_cast<std::size_t>(block->count);
  return present ? block.get() : nullptr;
}

void TokenWalk::sequenceResult(sqlite3_context* result) const {
  if (const TokenBlock* block = tokens()) sqlite3_result_int(result, block->sequences[row()]);
}

void TokenWalk::positionResult(sqlite3_context* result) const {
  if (const TokenBlock* block = tokens()) sqlite3_result_int(result, block->positions[row()]);
}

void TokenWalk::tokenIdResult(sqlite3_context* result) const {
  if (const TokenBlock* block = tokens()) sqlite3_result_int(result, block->ids[row()]);
}

void TokenWalk::tokenTextResult(sqlite3_context* result) const {
  const TokenBlock* block = tokens();
  if (block == nullptr) return;
  const std::string* text = m_context.tokenText(m_run->run.model, block->ids[row()]);
  if (text != nullptr) resultText(result, *text);
}

void TokenWalk::phaseResult(sqlite3_context* result) const {
  const TokenBlock* block = tokens();
  if (block == nullptr) return;
  const bool decode = block->phases[row()] == static_cast<std::uint8_t>(Phase::Decode);
  resultText(result, decode ? "decode" : "prefill");
}

void TokenWalk::labelResult(sqlite3_context* result) const {
  const TokenBlock* block = tokens();
  if (block == nullptr) return;
  const auto sequence = m_run->sequences.find(block->sequences[row()]);
  if (sequence == m_run->sequences.end() || sequence->second.labels.empty()) return;
  const auto& labels = sequence->second.labels;
  const auto named =
      std::ranges::find(labels, std::string("label"), &std::pair<std::string, std::string>::first);
  resultText(result, named != labels.end() ? named->second : labels.front().second);
}

}  // namespace moescope::trace
