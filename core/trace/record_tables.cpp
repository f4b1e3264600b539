#include "core/trace/record_tables.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>

#include <fmt/format.h>

namespace moescope::trace {

namespace {

constexpr const char* kRunColumns =
    "SELECT id, model, name, notes, kind, engine, device, dtype, threads, seed, sampler, capture, twin,"
    " checkpoint_label, train_step, train_tokens, status, started_ms, ended_ms, tokens, routed_tokens, "
    "sequences"
    " FROM run ";

Error damaged(const Database& database, std::string where, std::string message) {
  return {"trace.damaged", database.file().string(), std::move(where), std::move(message),
          "restore the trace from a copy"};
}

template <class Kind, std::size_t Count>
std::optional<Kind> fromWord(std::string_view word, const Kind (&kinds)[Count]) {
  for (const Kind kind : kinds) {
    if (name(kind) == word) return kind;
  }
  return std::nullopt;
}

/// The word of `group_rule`, e.g. "8 groups, 4 kept, top2_sum, masked -inf"; empty without groups.
std::string groupRule(const RouterGroups& groups) {
  if (!groups.limits()) return {};
  return fmt::format("{} groups, {} kept, {}, masked {}", groups.count, groups.keep, name(groups.score),
                     groups.maskWithZero ? "0" : "-inf");
}

std::optional<RouterGroups> groupsFrom(const std::string& rule) {
  if (rule.empty()) return RouterGroups{};
  for (const GroupScore score : {GroupScore::Max, GroupScore::TopTwoSum}) {
    for (const bool zero : {false, true}) {
      RouterGroups groups{1, 1, score, zero};
      std::sscanf(rule.c_str(), "%d groups, %d kept", &groups.count, &groups.keep);
      const bool possible = groups.keep > 0 && groups.limits() && groups.count <= kMostRouterGroups;
      if (possible && groupRule(groups) == rule) return groups;
    }
  }
  return std::nullopt;
}

Result<RouterSpec> routerFrom(const Database& database, const Statement& row) {
  const std::string where = fmt::format("router {}", row.integer(0));
  RouterSpec router;
  const std::int64_t layer = row.integer(1);
  const std::int64_t experts = row.integer(3);
  const std::int64_t topK = row.integer(4);
  const auto score = fromWord(row.text(5), {ScoreKind::SoftmaxAll, ScoreKind::SigmoidAll,
                                            ScoreKind::TopkSoftmax, ScoreKind::SparseMixer});
  const auto norm = fromWord(
      row.text(7), {WeightNorm::None, WeightNorm::SumOne, WeightNorm::ClampedSum, WeightNorm::Power});
  const auto groups = groupsFrom(row.text(11));
  if (layer < 0 || layer > 1'000'000 || experts < 1 || experts > kMostExperts || topK < 1 || topK > experts)
    return fail(damaged(database, where, "a router has impossible dimensions"));
  if (!score || !norm)
    return fail(damaged(database, where, "a router has an unknown score or normalisation"));
  if (!groups || experts % groups->count != 0)
    return fail(damaged(database, where, "a router has an unknown group rule"));
  router.layer = LayerIndex{static_cast<std::int32_t>(layer)};
  router.kind = row.text(2);
  router.experts = static_cast<int>(experts);
  router.topK = static_cast<int>(topK);
  router.score = *score;
  router.norm = *norm;
  router.groups = *groups;
  // One column, as no score and normalisation need a number each.
  (*score == ScoreKind::SparseMixer ? router.mixerEps : router.normParameter) = row.real(8);
  router.scale = row.real(9);
  router.sharedExperts = static_cast<int>(row.integer(10));
  const auto bias = row.blob(6);
  if (!row.isNull(6)) {
    if (bias.size() != static_cast<std::size_t>(experts) * sizeof(float))
      return fail(damaged(database, where, "a selection bias has a wrong length"));
    router.selectionBias.resize(static_cast<std::size_t>(experts));
    std::memcpy(router.selectionBias.data(), bias.data(), bias.size());
  }
  return router;
}

/// The key of `meta` that says how many layers of a model are an encoder's; none for other models.
std::string encoderKey(std::int64_t model) { return fmt::format("encoder_layers_of_model_{}", model); }

Result<void> addEncoderLayers(Database& database, std::int64_t model,
                              const std::vector<RouterSpec>& routers) {
  if (routers.empty() || routers.front().encoderLayers == 0) return {};
  auto insert = database.prepare("INSERT INTO meta VALUES (?, ?)");
  if (!insert) return fail(insert.error());
  const std::string key = encoderKey(model);
  const std::string layers = std::to_string(routers.front().encoderLayers);
  insert->bind(1, key).bind(2, layers);
  if (const int code = insert->run(); code != SQLITE_DONE) return fail(database.error(code));
  return {};
}

/// A count as far as a file may claim one: not negative.
std::int64_t countOf(const Statement& row, int column) {
  return std::max<std::int64_t>(row.integer(column), 0);
}

double massOf(const Statement& row, int column) {
  const double mass = row.real(column);
  return std::isfinite(mass) ? std::max(mass, 0.0) : 0.0;
}

/// A row number or a length as far as a file may claim one; sums of two stay far from overflow.
std::int64_t rowsOf(const Statement& row, int column) {
  return std::clamp<std::int64_t>(row.integer(column), 0, kMostTokens);
}

RunRecord runFrom(const Statement& row) {
  RunRecord run;
  run.id = row.integer(0);
  run.model = row.integer(1);
  run.name = row.text(2);
  run.notes = row.text(3);
  run.kind =
      fromWord(row.text(4), {RunKind::Generate, RunKind::Corpus, RunKind::Import}).value_or(RunKind::Import);
  run.engine = row.text(5);
  run.device = row.text(6);
  run.dtype = row.text(7);
  run.threads = static_cast<int>(row.integer(8));
  run.seed = std::bit_cast<std::uint64_t>(row.integer(9));
  run.samplerJson = row.text(10);
  run.capture = captureLevelFrom(row.text(11)).value_or(CaptureLevel::None);
  if (!row.isNull(12)) run.twin = row.integer(12);
  run.checkpointLabel = row.text(13);
  if (!row.isNull(14)) run.trainStep = row.integer(14);
  if (!row.isNull(15)) run.trainTokens = row.integer(15);
  run.status = fromWord(row.text(16), {RunStatus::Open, RunStatus::Closed, RunStatus::Aborted})
                   .value_or(RunStatus::Aborted);
  run.startedMs = row.integer(17);
  run.endedMs = row.integer(18);
  run.tokens = rowsOf(row, 19);
  run.routedTokens = rowsOf(row, 20);
  run.sequences = rowsOf(row, 21);
  return run;
}

Result<std::vector<RunRecord>> runsWhere(Database& database, const std::string& condition) {
  auto rows = database.prepare(kRunColumns + condition);
  if (!rows) return fail(rows.error());
  std::vector<RunRecord> runs;
  int code = SQLITE_ROW;
  while ((code = rows->step()) == SQLITE_ROW) runs.push_back(runFrom(*rows));
  if (code != SQLITE_DONE) return fail(database.error(code));
  return runs;
}

Result<void> addRouters(Database& database, std::int64_t model, const std::vector<RouterSpec>& routers) {
  auto insert = database.prepare(
      "INSERT INTO router (model, router, layer, kind, experts, top_k, score, selection_bias, normalisation,"
      " norm_eps, scale, shared_experts, group_rule) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)");
  if (!insert) return fail(insert.error());
  for (std::size_t i = 0; i < routers.size(); ++i) {
    const RouterSpec& router = routers[i];
    const std::string groups = groupRule(router.groups);  // lives until the row is written
    insert->bind(1, model).bind(2, static_cast<std::int64_t>(i)).bind(3, std::int64_t{router.layer.value});
    insert->bind(4, router.kind).bind(5, std::int64_t{router.experts}).bind(6, std::int64_t{router.topK});
    insert->bind(7, name(router.score))
        .bind(9, name(router.norm))
        .bind(10, router.score == ScoreKind::SparseMixer ? router.mixerEps : router.normParameter);
    if (!router.selectionBias.empty()) insert->bind(8, std::as_bytes(std::span(router.selectionBias)));
    insert->bind(11, router.scale).bind(12, std::int64_t{router.sharedExperts}).bind(13, groups);
    if (const int code = insert->run(); code != SQLITE_DONE) return fail(database.error(code));
  }
  return {};
}

}  // namespace

Result<int> readEncoderLayers(Database& database, std::int64_t model) {
  auto row = database.prepare("SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?");
  if (!row) return fail(row.error());
  const std::string key = encoderKey(model);
  row->bind(1, key);
  const int code = row->step();
  if (code == SQLITE_DONE) return 0;
  if (code != SQLITE_ROW) return fail(database.error(code));
  const std::int64_t layers = row->integer(0);
  if (layers < 0 || layers > 1'000'000)
    return fail(
        damaged(database, fmt::format("model {}", model), "the encoder has an impossible number of layers"));
  return static_cast<int>(layers);
}

Result<std::optional<ModelRecord>> readModel(Database& database, std::int64_t model) {
  auto row = database.prepare(
      "SELECT id, family, name, config, tokenizer_hash, weights_fingerprint, parameters_total, "
      "parameters_active"
      " FROM model WHERE id = ?");
  if (!row) return fail(row.error());
  row->bind(1, model);
  const int found = row->step();
  if (found == SQLITE_DONE) return std::nullopt;
  if (found != SQLITE_ROW) return fail(database.error(found));
  ModelRecord record;
  record.id = row->integer(0);
  record.family = row->text(1);
  record.name = row->text(2);
  record.configJson = row->text(3);
  record.tokenizerHash = row->text(4);
  record.weightsFingerprint = row->text(5);
  record.parametersTotal = row->integer(6);
  record.parametersActive = row->integer(7);
  auto rows = database.prepare(
      "SELECT router, layer, kind, experts, top_k, score, selection_bias, normalisation, norm_eps, scale,"
      " shared_experts, group_rule FROM router WHERE model = ? ORDER BY router");
  if (!rows) return fail(rows.error());
  rows->bind(1, model);
  const auto encoderLayers = readEncoderLayers(database, model);
  if (!encoderLayers) return fail(encoderLayers.error());
  int code = SQLITE_ROW;
  while ((code = rows->step()) == SQLITE_ROW) {
    if (rows->integer(0) != static_cast<std::int64_t>(record.routers.size()) ||
        record.routers.size() >= static_cast<std::size_t>(kMostRouters))
      return fail(damaged(database, fmt::format("model {}", model), "the routers are not numbered from 0"));
    auto router = routerFrom(database, *rows);
    if (!router) return fail(router.error());
    router->encoderLayers = *encoderLayers;
    record.routers.push_back(std::move(*router));
  }
  if (code != SQLITE_DONE) return fail(database.error(code));
  return record;
}

Result<std::int64_t> findOrAddModel(Database& database, const ModelRecord& model) {
  auto rows = database.prepare(
      "SELECT id FROM model WHERE family = ? AND name = ? AND config = ? AND tokenizer_hash = ?"
      " AND weights_fingerprint = ?");
  if (!rows) return fail(rows.error());
  rows->bind(1, model.family).bind(2, model.name).bind(3, model.configJson);
  rows->bind(4, model.tokenizerHash).bind(5, model.weightsFingerprint);
  while (rows->step() == SQLITE_ROW) {
    const auto known = readModel(database, rows->integer(0));
    if (known && *known && (*known)->routers == model.routers) return (*known)->id;
  }
  auto insert = database.prepare("INSERT INTO model VALUES (NULL,?,?,?,?,?,?,?)");
  if (!insert) return fail(insert.error());
  insert->bind(1, model.family).bind(2, model.name).bind(3, model.configJson).bind(4, model.tokenizerHash);
  insert->bind(5, model.weightsFingerprint).bind(6, model.parametersTotal).bind(7, model.parametersActive);
  if (const int code = insert->run(); code != SQLITE_DONE) return fail(database.error(code));
  const std::int64_t id = sqlite3_last_insert_rowid(database.handle());
  if (auto added = addRouters(database, id, model.routers); !added) return fail(added.error());
  if (auto added = addEncoderLayers(database, id, model.routers); !added) return fail(added.error());
  return id;
}

Result<std::vector<RunRecord>> readRuns(Database& database) { return runsWhere(database, "ORDER BY id"); }

Result<std::optional<RunRecord>> readRun(Database& database, RunId run) {
  auto runs = runsWhere(database, fmt::format("WHERE id = {}", run));
  if (!runs) return fail(runs.error());
  if (runs->empty()) return std::nullopt;
  return runs->front();
}

Result<RunId> addRun(Database& database, const RunRecord& run) {
  auto insert = database.prepare("INSERT INTO run VALUES (NULL,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  if (!insert) return fail(insert.error());
  insert->bind(1, run.model).bind(2, run.name).bind(3, run.notes).bind(4, name(run.kind)).bind(5, run.engine);
  insert->bind(6, run.device).bind(7, run.dtype).bind(8, std::int64_t{run.threads});
  insert->bind(9, std::bit_cast<std::int64_t>(run.seed))
      .bind(10, run.samplerJson)
      .bind(11, name(run.capture));
  insert->bind(12, run.twin).bind(13, run.checkpointLabel).bind(14, run.trainStep).bind(15, run.trainTokens);
  insert->bind(16, name(run.status)).bind(17, run.startedMs).bind(18, run.endedMs);
  insert->bind(19, run.tokens).bind(20, run.routedTokens).bind(21, run.sequences);
  if (const int code = insert->run(); code != SQLITE_DONE) return fail(database.error(code));
  return sqlite3_last_insert_rowid(database.handle());
}

Result<std::vector<SequenceRecord>> readSequences(Database& database, RunId run) {
  auto rows = database.prepare(
      "SELECT ordinal, first_token, prompt_length, length, complete, text_hash FROM sequence WHERE run = ?"
      " ORDER BY ordinal");
  if (!rows) return fail(rows.error());
  rows->bind(1, run);
  std::vector<SequenceRecord> sequences;
  int code = SQLITE_ROW;
  while ((code = rows->step()) == SQLITE_ROW) {
    const std::int64_t ordinal = rows->integer(0);
    if (ordinal < 0 || ordinal > std::numeric_limits<std::int32_t>::max()) continue;  // no token can name it
    SequenceRecord& sequence = sequences.emplace_back();
    sequence.ordinal = static_cast<std::int32_t>(ordinal);
    sequence.firstToken = rowsOf(*rows, 1);
    sequence.promptLength = rowsOf(*rows, 2);
    sequence.length = rowsOf(*rows, 3);
    sequence.complete = rows->integer(4) != 0;
    sequence.textHash = rows->text(5);
  }
  if (code != SQLITE_DONE) return fail(database.error(code));
  auto labels = database.prepare(
      "SELECT sequence, key, value FROM sequence_label WHERE run = ? ORDER BY sequence, ordinal");
  if (!labels) return fail(labels.error());
  labels->bind(1, run);
  std::size_t at = 0;
  while ((code = labels->step()) == SQLITE_ROW) {
    while (at < sequences.size() && sequences[at].ordinal < labels->integer(0)) ++at;
    if (at < sequences.size() && sequences[at].ordinal == labels->integer(0))
      sequences[at].labels.emplace_back(labels->text(1), labels->text(2));
  }
  if (code != SQLITE_DONE) return fail(database.error(code));
  return sequences;
}

Result<std::vector<SteeringEvent>> readSteeringEvents(Database& database, RunId run) {
  auto rows = database.prepare(
      "SELECT token, program, counterfactual FROM steering_event WHERE run = ? ORDER BY ordinal");
  if (!rows) return fail(rows.error());
  rows->bind(1, run);
  std::vector<SteeringEvent> events;
  int code = SQLITE_ROW;
  while ((code = rows->step()) == SQLITE_ROW)
    events.push_back({rowsOf(*rows, 0), rows->text(1), rows->integer(2) != 0});
  if (code != SQLITE_DONE) return fail(database.error(code));
  return events;
}

Result<std::vector<RuleEffect>> readRuleEffects(Database& database, RunId run) {
  const auto version = database.integer("PRAGMA user_version");
  if (!version) return fail(version.error());
  if (*version < 2) return std::vector<RuleEffect>();
  auto rows = database.prepare(
      "SELECT rule, tokens_in_scope, chosen, natively_chosen, choices_added, choices_dropped, native_mass,"
      " dropped_native_mass FROM rule_effect WHERE run = ? ORDER BY rule");
  if (!rows) return fail(rows.error());
  rows->bind(1, run);
  std::vector<RuleEffect> effects;
  int code = SQLITE_ROW;
  while ((code = rows->step()) == SQLITE_ROW) {
    effects.push_back({.ruleId = rows->integer(0),
                       .tokensInScope = countOf(*rows, 1),
                       .chosen = countOf(*rows, 2),
                       .nativelyChosen = countOf(*rows, 3),
                       .choicesAdded = countOf(*rows, 4),
                       .choicesDropped = countOf(*rows, 5),
                       .droppedNativeMass = massOf(*rows, 7),
                       .nativeMass = massOf(*rows, 6)});
  }
  if (code != SQLITE_DONE) return fail(database.error(code));
  return effects;
}

Result<std::optional<std::string>> readTokenBytes(Database& database, std::int64_t model,
                                                  std::int32_t token) {
  auto row = database.prepare("SELECT bytes FROM vocabulary WHERE model = ? AND token = ?");
  if (!row) return fail(row.error());
  row->bind(1, model).bind(2, std::int64_t{token});
  const int code = row->step();
  if (code == SQLITE_DONE) return std::nullopt;
  if (code != SQLITE_ROW) return fail(database.error(code));
  const auto bytes = row->blob(0);
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace moescope::trace
