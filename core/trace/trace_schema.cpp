#include "core/trace/trace_schema.h"

#include <array>
#include <map>
#include <random>

#include <fmt/format.h>

#include "core/base/unix_time.h"

namespace moescope::trace {

namespace {

// Migration 1. The order of the BLOB columns is the order of the checksum (docs/file_format.md).
constexpr const char* kVersion1 = R"sql(
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE model (
  id INTEGER PRIMARY KEY, family TEXT NOT NULL, name TEXT NOT NULL, config TEXT NOT NULL,
  tokenizer_hash TEXT NOT NULL, weights_fingerprint TEXT NOT NULL,
  parameters_total INTEGER NOT NULL, parameters_active INTEGER NOT NULL) STRICT;
CREATE TABLE vocabulary (
  model INTEGER NOT NULL REFERENCES model(id) ON DELETE CASCADE, token INTEGER NOT NULL, bytes BLOB NOT NULL,
  PRIMARY KEY (model, token)) STRICT, WITHOUT ROWID;
CREATE TABLE router (
  model INTEGER NOT NULL REFERENCES model(id) ON DELETE CASCADE, router INTEGER NOT NULL,
  layer INTEGER NOT NULL, kind TEXT NOT NULL, experts INTEGER NOT NULL, top_k INTEGER NOT NULL,
  score TEXT NOT NULL, selection_bias BLOB, group_rule TEXT NOT NULL DEFAULT '',
  normalisation TEXT NOT NULL, norm_eps REAL NOT NULL, scale REAL NOT NULL, shared_experts INTEGER NOT NULL,
  PRIMARY KEY (model, router)) STRICT;
CREATE TABLE run (
  id INTEGER PRIMARY KEY AUTOINCREMENT, model INTEGER NOT NULL REFERENCES model(id),
  name TEXT NOT NULL, notes TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('generate', 'corpus', 'import', 'lab')),
  engine TEXT NOT NULL, device TEXT NOT NULL, dtype TEXT NOT NULL, threads INTEGER NOT NULL,
  seed INTEGER NOT NULL, sampler TEXT NOT NULL,
  capture TEXT NOT NULL CHECK (capture IN ('none', 'ids', 'weights', 'full')),
  twin INTEGER REFERENCES run(id) ON DELETE SET NULL, checkpoint_label TEXT NOT NULL,
  train_step INTEGER, train_tokens INTEGER,
  status TEXT NOT NULL CHECK (status IN ('open', 'closed', 'aborted')),
  started_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL,
  tokens INTEGER NOT NULL, routed_tokens INTEGER NOT NULL, sequences INTEGER NOT NULL) STRICT;
CREATE TABLE steering_event (
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, ordinal INTEGER NOT NULL,
  token INTEGER NOT NULL, program TEXT NOT NULL, counterfactual INTEGER NOT NULL,
  PRIMARY KEY (run, ordinal)) STRICT;
CREATE TABLE sequence (
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, ordinal INTEGER NOT NULL,
  first_token INTEGER NOT NULL, prompt_length INTEGER NOT NULL, length INTEGER NOT NULL,
  complete INTEGER NOT NULL, text_hash TEXT NOT NULL,
  PRIMARY KEY (run, ordinal)) STRICT, WITHOUT ROWID;
CREATE TABLE sequence_label (
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, sequence INTEGER NOT NULL,
  ordinal INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (run, sequence, ordinal)) STRICT, WITHOUT ROWID;
CREATE TABLE token_block (
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, block INTEGER NOT NULL, count INTEGER NOT NULL,
  ids BLOB NOT NULL, sequences BLOB NOT NULL, positions BLOB NOT NULL, phases BLOB NOT NULL,
  log_probs BLOB NOT NULL, entropies BLOB NOT NULL,
  alternative_ids BLOB NOT NULL, alternative_log_probs BLOB NOT NULL, crc INTEGER NOT NULL,
  PRIMARY KEY (run, block)) STRICT;
CREATE TABLE route_block (
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, router INTEGER NOT NULL, block INTEGER NOT NULL,
  count INTEGER NOT NULL, width INTEGER NOT NULL,
  ids BLOB NOT NULL, weights BLOB, native_ids BLOB, dropped_native_mass BLOB, crc INTEGER NOT NULL,
  PRIMARY KEY (run, router, block)) STRICT;
CREATE TABLE logit_block (
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, router INTEGER NOT NULL, block INTEGER NOT NULL,
  count INTEGER NOT NULL, logits BLOB NOT NULL, crc INTEGER NOT NULL,
  PRIMARY KEY (run, router, block)) STRICT;
CREATE TABLE norm_block (
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, router INTEGER NOT NULL, block INTEGER NOT NULL,
  count INTEGER NOT NULL, norms BLOB NOT NULL, crc INTEGER NOT NULL,
  PRIMARY KEY (run, router, block)) STRICT;
CREATE TABLE summary (
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, router INTEGER NOT NULL,
  level INTEGER NOT NULL, block INTEGER NOT NULL, count INTEGER NOT NULL,
  tokens INTEGER NOT NULL, slots INTEGER NOT NULL, mass_tokens INTEGER NOT NULL, entropy_tokens INTEGER NOT NULL,
  load BLOB NOT NULL, gate_mass BLOB NOT NULL, entropy_sum REAL NOT NULL, crc INTEGER NOT NULL,
  PRIMARY KEY (run, router, level, block)) STRICT;
CREATE TABLE sequence_stats (
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, router INTEGER NOT NULL, sequence INTEGER NOT NULL,
  tokens INTEGER NOT NULL, mass_tokens INTEGER NOT NULL, logit_tokens INTEGER NOT NULL,
  counts BLOB NOT NULL, gate_mass BLOB NOT NULL, logit_sum BLOB NOT NULL, probability_sum BLOB NOT NULL,
  log_sum_exp_sum REAL NOT NULL, entropy_sum REAL NOT NULL, crc INTEGER NOT NULL,
  PRIMARY KEY (run, router, sequence)) STRICT;
CREATE TABLE expert_set (
  id INTEGER PRIMARY KEY, model INTEGER NOT NULL REFERENCES model(id) ON DELETE CASCADE, name TEXT NOT NULL,
  cells TEXT NOT NULL, origin TEXT NOT NULL, created_ms INTEGER NOT NULL) STRICT;
CREATE TABLE program (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, program TEXT NOT NULL, created_ms INTEGER NOT NULL) STRICT;
CREATE TABLE annotation (
  id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  first_token INTEGER, end_token INTEGER, router INTEGER, expert INTEGER,
  text TEXT NOT NULL, created_ms INTEGER NOT NULL) STRICT;
CREATE TABLE bookmark (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, view TEXT NOT NULL, created_ms INTEGER NOT NULL) STRICT;
CREATE TABLE figure (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, spec TEXT NOT NULL, inputs TEXT NOT NULL,
  created_ms INTEGER NOT NULL) STRICT;
CREATE TABLE analysis_result (
  id INTEGER PRIMARY KEY, analysis TEXT NOT NULL, parameters TEXT NOT NULL, inputs TEXT NOT NULL,
  result BLOB NOT NULL, crc INTEGER NOT NULL, created_ms INTEGER NOT NULL) STRICT;
)sql";

// Migration 2: what each rule did in a run, and series of runs of the same texts through checkpoints of one
// model.
constexpr const char* kVersion2 = R"sql(
CREATE TABLE rule_effect (
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, rule INTEGER NOT NULL,
  tokens_in_scope INTEGER NOT NULL, chosen INTEGER NOT NULL, natively_chosen INTEGER NOT NULL,
  choices_added INTEGER NOT NULL, choices_dropped INTEGER NOT NULL,
  native_mass REAL NOT NULL, dropped_native_mass REAL NOT NULL,
  PRIMARY KEY (run, rule)) STRICT;
CREATE TABLE series (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, settings TEXT NOT NULL, created_ms INTEGER NOT NULL) STRICT;
CREATE TABLE series_run (
  series INTEGER NOT NULL REFERENCES series(id) ON DELETE CASCADE, ordinal INTEGER NOT NULL,
  run INTEGER NOT NULL UNIQUE REFERENCES run(id) ON DELETE CASCADE,
  PRIMARY KEY (series, ordinal)) STRICT;
)sql";

/// Element n brings a file from version n to n + 1.
constexpr std::array<const char*, kSchemaVersion> kMigrations{kVersion1, kVersion2};

constexpr std::array kVirtualTables{"routing", "tokens", "expert_load", "router_logits"};

using Definitions = std::map<std::string, std::string>;  // table name -> its SQL

Error damaged(const Database& database, std::string where, std::string message) {
  return {"trace.damaged", database.file().string(), std::move(where), std::move(message),
          "restore the trace from a copy"};
}

Result<Definitions> ownDefinitions(int version) {
  auto memory = Database::open(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!memory) return fail(memory.error());
  for (int step = 0; step < version; ++step) {
    if (auto done = memory->execute(kMigrations.at(static_cast<std::size_t>(step))); !done)
      return fail(done.error());
  }
  auto rows = memory->prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql IS NOT NULL");
  if (!rows) return fail(rows.error());
  Definitions definitions;
  while (rows->step() == SQLITE_ROW) definitions[rows->text(0)] = rows->text(1);
  return definitions;
}

Result<void> verifyDefinitions(Database& database, int version) {
  auto own = ownDefinitions(version);
  if (!own) return fail(own.error());
  auto rows = database.prepare("SELECT type, name, sql FROM sqlite_schema");
  if (!rows) return fail(rows.error());
  int code = SQLITE_ROW;
  while ((code = rows->step()) == SQLITE_ROW) {
    const std::string type = rows->text(0);
    const std::string name = rows->text(1);
    if (type == "trigger")
      return fail(damaged(database, name, "the trace has a trigger, which no trace has"));
    for (const char* reserved : kVirtualTables) {
      if (name == reserved) return fail(damaged(database, name, "a table hides one of the trace's own"));
    }
    const auto found = own->find(name);
    if (found == own->end()) continue;  // a person's own table, index or view may stay
    if (type != "table" || rows->text(2) != found->second)
      return fail(damaged(database, name, "a table is not defined as in a trace"));
    own->erase(found);
  }
  if (code != SQLITE_DONE) return fail(database.error(code));
  if (!own->empty()) return fail(damaged(database, own->begin()->first, "a table is missing"));
  return {};
}

std::string randomId() {
  std::random_device device;
  std::string id;
  for (int part = 0; part < 4; ++part) id += fmt::format("{:08x}", device());
  return id;
}

}  // namespace

Result<void> createSchema(Database& database) {
  // auto_vacuum lets a deleted run give its pages back without rewriting the file.
  const std::string setup =
      fmt::format("PRAGMA page_size={}; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA application_id={};", kPageSize,
                  kApplicationId);
  if (auto set = database.execute(setup); !set) return set;
  if (auto migrated = migrate(database); !migrated) return migrated;
  return database.execute(fmt::format(
      "INSERT INTO meta VALUES ('program', 'moescope {}'), ('created_ms', '{}'), ('content_id', '{}'),"
      " ('revision', '0')",
      MOESCOPE_VERSION, unixMilliseconds(), randomId()));
}

Result<void> verifySchema(Database& database) {
  const auto application = database.integer("PRAGMA application_id");
  if (!application) return fail(application.error());
  const auto version = database.integer("PRAGMA user_version");
  if (!version) return fail(version.error());
  const std::string file = database.file().string();
  if (*application != kApplicationId)
    return fail("trace.not_ours", file, "", "an SQLite file of another program, not a MoEScope trace");
  if (*version > kSchemaVersion)
    return fail("trace.newer", file,
                fmt::format("schema {}, this program reads {}", *version, kSchemaVersion),
                "the trace was written by a newer MoEScope", "open it with that version or a later one");
  if (*version < 1) return fail(damaged(database, "user_version", "the trace has no schema number"));
  return verifyDefinitions(database, static_cast<int>(*version));
}

Result<void> migrate(Database& database) {
  const auto version = database.integer("PRAGMA user_version");
  if (!version) return fail(version.error());
  for (auto step = static_cast<std::size_t>(*version); step < kMigrations.size(); ++step) {
    auto done = inTransaction(database, [&]() -> Result<void> {
      if (auto made = database.execute(kMigrations.at(step)); !made) return made;
      return database.execute(fmt::format("PRAGMA user_version={}", step + 1));
    });
    if (!done) return done;
  }
  return {};
}

}  // namespace moescope::trace
