#include "core/trace/block_reader.h"

#include <array>
#include <utility>

namespace moescope::trace {

namespace {

constexpr const char* kToken =
    "SELECT count, ids, sequences, positions, phases, log_probs, entropies, alternative_ids,"
    " alternative_log_probs, crc FROM token_block WHERE run = ? AND block = ?";
constexpr const char* kRoute =
    "SELECT count, width, ids, weights, native_ids, dropped_native_mass, crc, block FROM route_block"
    " WHERE run = ?1 AND router = ?2 AND block >= ?3 AND block < ?3 + ?4 ORDER BY block";
constexpr const char* kLogit =
    "SELECT count, logits, crc FROM logit_block WHERE run = ? AND router = ? AND block = ?";
constexpr const char* kSummary =
    "SELECT count, tokens, slots, mass_tokens, entropy_tokens, load, gate_mass, entropy_sum, crc FROM summary"
    " WHERE run = ? AND router = ? AND level = ? AND block = ?";
constexpr const char* kStats =
    "SELECT tokens, mass_tokens, logit_tokens, counts, gate_mass, logit_sum, probability_sum, "
    "log_sum_exp_sum,"
    " entropy_sum, crc, sequence FROM sequence_stats"
    " WHERE run = ?1 AND router = ?2 AND sequence >= ?3 AND sequence < ?3 + ?4 ORDER BY sequence";

std::optional<Blob> optionalBlob(const Statement& row, int column) {
  if (row.isNull(column)) return std::nullopt;
  return row.blob(column);
}

/// A row that SQLite could not read: as many rows as a block may have are lost.
template <class Block>
std::shared_ptr<const Block> unreadable() {
  auto block = std::make_shared<Block>();
  block->count = kBlockTokens;
  block->damaged = true;
  return block;
}

}  // namespace

Result<BlockReader> BlockReader::prepare(Database& database) {
  BlockReader reader;
  const std::array<std::pair<Statement*, const char*>, 5> statements{{{&reader.m_token, kToken},
                                                                      {&reader.m_route, kRoute},
                                                                      {&reader.m_logit, kLogit},
                                                                      {&reader.m_summary, kSummary},
                                                                      {&reader.m_stats, kStats}}};
  for (const auto& [statement, sql] : statements) {
    auto prepared = database.prepare(sql);
    if (!prepared) return fail(prepared.error());
    *statement = std::move(*prepared);
  }
  return reader;
}

bool BlockReader::stepTo(Statement& statement, bool& broken) {
  const int code = statement.step();
  broken = code != SQLITE_ROW && code != SQLITE_DONE;
  return code == SQLITE_ROW;
}

std::shared_ptr<const TokenBlock> BlockReader::tokenBlock(RunId run, std::int64_t block) {
  const ResetGuard guard(m_token);
  m_token.bind(1, run).bind(2, block);
  bool broken = false;
  if (!stepTo(m_token, broken)) return broken ? unreadable<TokenBlock>() : nullptr;
  return std::make_shared<const TokenBlock>(decode(
      TokenRowBlobs{m_token.integer(0), m_token.blob(1), m_token.blob(2), m_token.blob(3), m_token.blob(4),
                    m_token.blob(5), m_token.blob(6), m_token.blob(7), m_token.blob(8), m_token.integer(9)}));
}

std::shared_ptr<const RouteBlock> BlockReader::routeBlock(RunId run, int index, std::int64_t block,
                                                          const RouterSpec& router, CaptureLevel capture) {
  const auto blocks = routeBlocks(run, index, block, 1, router, capture);
  return blocks.empty() ? nullptr : blocks.front();
}

std::vector<std::shared_ptr<const RouteBlock>> BlockReader::routeBlocks(RunId run, int index,
                                                                        std::int64_t block, int most,
                                                                        const RouterSpec& router,
                                                                        CaptureLevel capture) {
  const ResetGuard guard(m_route);
  m_route.bind(1, run).bind(2, std::int64_t{index}).bind(3, block).bind(4, std::int64_t{most});
  std::vector<std::shared_ptr<const RouteBlock>> out;
  bool broken = false;
  while (static_cast<int>(out.size()) < most && stepTo(m_route, broken) &&
         m_route.integer(7) == block + static_cast<std::int64_t>(out.size())) {
    const RouteRowBlobs row{m_route.integer(0),       m_route.integer(1),       m_route.blob(2),
                            optionalBlob(m_route, 3), optionalBlob(m_route, 4), optionalBlob(m_route, 5),
                            m_route.integer(6)};
    out.push_back(std::make_shared<const RouteBlock>(decode(row, router, capture)));
  }
  if (broken && out.empty()) out.push_back(unreadable<RouteBlock>());
  return out;
}

std::shared_ptr<const LogitBlock> BlockReader::logitBlock(RunId run, int index, std::int64_t block,
                                                          const RouterSpec& router) {
  const ResetGuard guard(m_logit);
  m_logit.bind(1, run).bind(2, std::int64_t{index}).bind(3, block);
  bool broken = false;
  if (!stepTo(m_logit, broken)) return broken ? unreadable<LogitBlock>() : nullptr;
  return std::make_shared<const LogitBlock>(
      decode(LogitRowBlobs{m_logit.integer(0), m_logit.blob(1), m_logit.integer(2)}, router.experts));
}

std::shared_ptr<const BlockSummary> BlockReader::summary(RunId run, int index, int level, std::int64_t block,
                                                         const RouterSpec& router) {
  const ResetGuard guard(m_summary);
  m_summary.bind(1, run).bind(2, std::int64_t{index}).bind(3, std::int64_t{level}).bind(4, block);
  bool broken = false;
  if (!stepTo(m_summary, broken)) return broken ? unreadable<BlockSummary>() : nullptr;
  BlockSummary node;
  node.count = m_summary.integer(0);
  node.tokens = m_summary.integer(1);
  node.slots = m_summary.integer(2);
  node.massTokens = m_summary.integer(3);
  node.entropyTokens = m_summary.integer(4);
  node.entropySum = m_summary.real(7);
  return std::make_shared<const BlockSummary>(decode(
      std::move(node), level, m_summary.blob(5), m_summary.blob(6), m_summary.integer(8), router.experts));
}

std::optional<SequenceStats> BlockReader::stats(RunId run, int index, std::int32_t sequence,
                                                const RouterSpec& router, bool& damaged) {
  auto sums = stats(run, index, sequence, 1, router, damaged);
  return sums.empty() ? std::nullopt : std::optional(std::move(sums.front()));
}

std::vector<SequenceStats> BlockReader::stats(RunId run, int index, std::int32_t sequence, int most,
                                              const RouterSpec& router, bool& damaged) {
  const ResetGuard guard(m_stats);
  m_stats.bind(1, run)
      .bind(2, std::int64_t{index})
      .bind(3, std::int64_t{sequence})
      .bind(4, std::int64_t{most});
  std::vector<SequenceStats> out;
  bool failed = false;
  while (static_cast<int>(out.size()) < most && stepTo(m_stats, failed) &&
         m_stats.integer(10) == sequence + static_cast<std::int64_t>(out.size())) {
    SequenceStats stats;
    stats.tokens = m_stats.integer(0);
    stats.massTokens = m_stats.integer(1);
    stats.logitTokens = m_stats.integer(2);
    stats.logSumExpSum = m_stats.real(7);
    stats.entropySum = m_stats.real(8);
    auto decoded = decode(std::move(stats), m_stats.blob(3), m_stats.blob(4), m_stats.blob(5),
                          m_stats.blob(6), m_stats.integer(9), router.experts);
    failed = !decoded.has_value();
    if (failed) break;
    out.push_back(*std::move(decoded));
  }
  damaged = failed && out.empty();
  return out;
}

}  // namespace moescope::trace
