#include "core/trace/batch_writer.h"

#include <array>

namespace moescope::trace {

namespace {

constexpr const char* kToken =
    "INSERT INTO token_block VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (run, block) DO UPDATE SET"
    " count=excluded.count, ids=excluded.ids, sequences=excluded.sequences, positions=excluded.positions,"
    " phases=excluded.phases, log_probs=excluded.log_probs, entropies=excluded.entropies,"
    " alternative_ids=excluded.alternative_ids, alternative_log_probs=excluded.alternative_log_probs,"
    " crc=excluded.crc";
constexpr const char* kRoute =
    "INSERT INTO route_block VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (run, router, block) DO UPDATE SET"
    " count=excluded.count, width=excluded.width, ids=excluded.ids, weights=excluded.weights,"
    " native_ids=excluded.native_ids, dropped_native_mass=excluded.dropped_native_mass, crc=excluded.crc";
constexpr const char* kLogit =
    "INSERT INTO logit_block VALUES (?,?,?,?,?,?) ON CONFLICT (run, router, block) DO UPDATE SET"
    " count=excluded.count, logits=excluded.logits, crc=excluded.crc";
constexpr const char* kSummary =
    "INSERT INTO summary VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (run, router, level, block) DO "
    "UPDATE SET"
    " count=excluded.count, tokens=excluded.tokens, slots=excluded.slots, mass_tokens=excluded.mass_tokens,"
    " entropy_tokens=excluded.entropy_tokens, load=excluded.load, gate_mass=excluded.gate_mass,"
    " entropy_sum=excluded.entropy_sum, crc=excluded.crc";
constexpr const char* kStats = "INSERT OR REPLACE INTO sequence_stats VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)";
constexpr const char* kSequence =
    "INSERT INTO sequence VALUES (?,?,?,?,?,?,?) ON CONFLICT (run, ordinal) DO UPDATE SET"
    " length=excluded.length, complete=excluded.complete";
constexpr const char* kLabel = "INSERT OR IGNORE INTO sequence_label VALUES (?,?,?,?,?)";
constexpr const char* kEvent = "INSERT OR REPLACE INTO steering_event VALUES (?,?,?,?,?)";
constexpr const char* kForgetEffects = "DELETE FROM rule_effect WHERE run = ?";
constexpr const char* kEffect = "INSERT INTO rule_effect VALUES (?,?,?,?,?,?,?,?,?)";
constexpr const char* kVocabulary = "INSERT OR IGNORE INTO vocabulary VALUES (?,?,?)";
constexpr const char* kRun =
    "UPDATE run SET status=?, ended_ms=?, tokens=?, routed_tokens=?, sequences=? WHERE id=?";
constexpr const char* kRevision =
    "UPDATE meta SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE key = 'revision'";

Blob bytesOfText(const std::string& text) { return std::as_bytes(std::span(text)); }

}  // namespace

Result<BatchWriter> BatchWriter::prepare(Database& database) {
  BatchWriter writer;
  writer.m_database = &database;
  const std::array<std::pair<Statement*, const char*>, 13> statements{{
      {&writer.m_token, kToken},
      {&writer.m_route, kRoute},
      {&writer.m_logit, kLogit},
      {&writer.m_summary, kSummary},
      {&writer.m_stats, kStats},
      {&writer.m_sequence, kSequence},
      {&writer.m_label, kLabel},
      {&writer.m_event, kEvent},
      {&writer.m_forgetEffects, kForgetEffects},
      {&writer.m_effect, kEffect},
      {&writer.m_vocabulary, kVocabulary},
      {&writer.m_run, kRun},
      {&writer.m_revision, kRevision},
  }};
  for (const auto& [statement, sql] : statements) {
    auto prepared = database.prepare(sql);
    if (!prepared) return fail(prepared.error());
    *statement = std::move(*prepared);
  }
  return writer;
}

Result<void> BatchWriter::done(Statement& statement) {
  const int code = statement.run();
  if (code != SQLITE_DONE) return fail(m_database->error(code));
  return {};
}

Result<void> BatchWriter::writeTokens(const WriteBatch& batch) {
  for (const auto& item : batch.tokens) {
    const TokenBlock& block = *item.columns;
    m_token.bind(1, batch.run.id).bind(2, item.block).bind(3, std::int64_t{block.count});
    m_token.bind(4, bytesOf(block.ids)).bind(5, bytesOf(block.sequences)).bind(6, bytesOf(block.positions));
    m_token.bind(7, bytesOf(block.phases)).bind(8, bytesOf(block.logProbs)).bind(9, bytesOf(block.entropies));
    const bool whole = hasAlternatives(block);
    m_token.bind(10, whole ? bytesOf(block.alternativeIds) : Blob());
    m_token.bind(11, whole ? bytesOf(block.alternativeLogProbs) : Blob());
    m_token.bind(12, std::int64_t{checksum(block)});
    if (auto written = done(m_token); !written) return written;
  }
  return {};
}

Result<void> BatchWriter::writeRoutes(const WriteBatch& batch, const std::vector<RouterSpec>& routers) {
  for (const auto& item : batch.routes) {
    const RouteBlock& block = *item.columns;
    encode(block, routers[static_cast<std::size_t>(item.router)].experts, batch.run.capture, m_routeBlobs);
    m_route.bind(1, batch.run.id).bind(2, std::int64_t{item.router}).bind(3, item.block);
    m_route.bind(4, std::int64_t{block.count}).bind(5, std::int64_t{block.width}).bind(6, m_routeBlobs.ids);
    if (m_routeBlobs.hasWeights) m_route.bind(7, m_routeBlobs.weights);
    if (m_routeBlobs.hasNative)
      m_route.bind(8, m_routeBlobs.nativeIds).bind(9, m_routeBlobs.droppedNativeMass);
    m_route.bind(10, std::int64_t{m_routeBlobs.crc});
    if (auto written = done(m_route); !written) return written;
  }
  return {};
}

Result<void> BatchWriter::writeLogits(const WriteBatch& batch) {
  for (const auto& item : batch.logits) {
    const std::array<Blob, 1> columns{bytesOf(item.columns->halves)};
    m_logit.bind(1, batch.run.id).bind(2, std::int64_t{item.router}).bind(3, item.block);
    m_logit.bind(4, std::int64_t{item.columns->count}).bind(5, columns[0]);
    m_logit.bind(6, std::int64_t{checksum(columns)});
    if (auto written = done(m_logit); !written) return written;
  }
  return {};
}

Result<void> BatchWriter::writeSummaries(const WriteBatch& batch) {
  for (const auto& item : batch.summaries) {
    const BlockSummary& node = *item.summary;
    m_summary.bind(1, batch.run.id).bind(2, std::int64_t{item.router}).bind(3, std::int64_t{item.level});
    m_summary.bind(4, item.block).bind(5, node.count).bind(6, node.tokens).bind(7, node.slots);
    m_summary.bind(8, node.massTokens).bind(9, node.entropyTokens);
    m_summary.bind(10, bytesOf(node.counts)).bind(11, bytesOf(node.gateMass)).bind(12, node.entropySum);
    m_summary.bind(13, std::int64_t{checksum(node)});
    if (auto written = done(m_summary); !written) return written;
  }
  return {};
}

Result<void> BatchWriter::writeStats(const WriteBatch& batch) {
  for (const auto& item : batch.stats) {
    const SequenceStats& stats = *item.stats;
    const StatsBlobs blobs = encode(stats);
    m_stats.bind(1, batch.run.id).bind(2, std::int64_t{item.router}).bind(3, std::int64_t{item.sequence});
    m_stats.bind(4, stats.tokens).bind(5, stats.massTokens).bind(6, stats.logitTokens);
    m_stats.bind(7, bytesOf(blobs.counts)).bind(8, bytesOf(stats.gateMass)).bind(9, bytesOf(stats.logitSum));
    m_stats.bind(10, bytesOf(stats.probabilitySum)).bind(11, stats.logSumExpSum).bind(12, stats.entropySum);
    m_stats.bind(13, std::int64_t{blobs.crc});
    if (auto written = done(m_stats); !written) return written;
  }
  return {};
}

Result<void> BatchWriter::writeSequences(const WriteBatch& batch) {
  for (const SequenceRecord& sequence : batch.sequences) {
    m_sequence.bind(1, batch.run.id).bind(2, std::int64_t{sequence.ordinal}).bind(3, sequence.firstToken);
    m_sequence.bind(4, sequence.promptLength).bind(5, sequence.length);
    m_sequence.bind(6, std::int64_t{sequence.complete ? 1 : 0}).bind(7, sequence.textHash);
    if (auto written = done(m_sequence); !written) return written;
    for (std::size_t i = 0; i < sequence.labels.size(); ++i) {
      m_label.bind(1, batch.run.id)
          .bind(2, std::int64_t{sequence.ordinal})
          .bind(3, static_cast<std::int64_t>(i));
      m_label.bind(4, sequence.labels[i].first).bind(5, sequence.labels[i].second);
      if (auto written = done(m_label); !written) return written;
    }
  }
  return {};
}

Result<void> BatchWriter::writeTexts(const WriteBatch& batch) {
  for (const auto& [ordinal, event] : batch.events) {
    m_event.bind(1, batch.run.id).bind(2, ordinal).bind(3, event.token).bind(4, event.programJson);
    m_event.bind(5, std::int64_t{event.counterfactual ? 1 : 0});
    if (auto written = done(m_event); !written) return written;
  }
  for (const auto& [token, bytes] : batch.vocabulary) {
    m_vocabulary.bind(1, batch.run.model).bind(2, std::int64_t{token}).bind(3, bytesOfText(bytes));
    if (auto written = done(m_vocabulary); !written) return written;
  }
  return {};
}

Result<void> BatchWriter::writeEffects(const WriteBatch& batch) {
  if (!batch.effects) return {};
  m_forgetEffects.bind(1, batch.run.id);
  if (auto forgotten = done(m_forgetEffects); !forgotten) return forgotten;
  for (const RuleEffect& effect : *batch.effects) {
    m_effect.bind(1, batch.run.id).bind(2, effect.ruleId).bind(3, effect.tokensInScope);
    m_effect.bind(4, effect.chosen).bind(5, effect.nativelyChosen).bind(6, effect.choicesAdded);
    m_effect.bind(7, effect.choicesDropped).bind(8, effect.nativeMass).bind(9, effect.droppedNativeMass);
    if (auto written = done(m_effect); !written) return written;
  }
  return {};
}

Result<void> BatchWriter::writeRun(const RunRecord& run) {
  m_run.bind(1, name(run.status)).bind(2, run.endedMs).bind(3, run.tokens);
  m_run.bind(4, run.routedTokens).bind(5, run.sequences).bind(6, run.id);
  if (auto written = done(m_run); !written) return written;
  return done(m_revision);
}

Result<void> BatchWriter::write(const WriteBatch& batch, const std::vector<RouterSpec>& routers) {
  if (auto written = writeTokens(batch); !written) return written;
  if (auto written = writeRoutes(batch, routers); !written) return written;
  if (auto written = writeLogits(batch); !written) return written;
  if (auto written = writeSummaries(batch); !written) return written;
  if (auto written = writeStats(batch); !written) return written;
  if (auto written = writeSequences(batch); !written) return written;
  if (auto written = writeTexts(batch); !written) return written;
  if (auto written = writeEffects(batch); !written) return written;
  return writeRun(batch.run);
}

}  // namespace moescope::trace
