#include "core/trace/run_resume.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/trace/batch_writer.h"
#include "core/trace/block_reader.h"
#include "core/trace/file_blocks.h"
#include "core/trace/load_query.h"
#include "core/trace/record_tables.h"

namespace moescope::trace {

namespace {

class Cut {
 public:
  Cut(Database& database, BlockReader& reader, ResumedRun& resumed)
      : m_database(database),
        m_reader(reader),
        m_resumed(resumed),
        m_source(reader, resumed.run, resumed.model.routers) {}

  Result<void> perform() {
    m_endToken = m_resumed.tail.sequences.empty()
                     ? 0
                     : m_resumed.tail.sequences.back().firstToken + m_resumed.tail.sequences.back().length;
    if (m_endToken > m_resumed.run.tokens)
      return fail(bad("the last complete sequence is longer than the run"));
    if (auto found = findRoutedEnd(); !found) return found;
    if (auto read = readTokens(); !read) return read;
    for (int r = 0; r < routerCount(); ++r) {
      if (auto read = readRouter(r); !read) return read;
    }
    if (auto counted = setCounts(); !counted) return counted;
    if (auto removed = remove(); !removed) return removed;
    return writeTail();
  }

 private:
  [[nodiscard]] Error bad(std::string message) const {
    return {"trace.bad_block", m_database.file().string(), fmt::format("run {}", m_resumed.run.id),
            std::move(message), "record the corpus again into a new run"};
  }
  [[nodiscard]] int routerCount() const {
    return m_resumed.run.capture == CaptureLevel::None ? 0 : static_cast<int>(m_resumed.model.routers.size());
  }
  [[nodiscard]] std::int64_t routedBlock() const { return m_resumed.tail.routedEnd / kBlockTokens; }

  Result<void> findRoutedEnd() {
    m_resumed.tail.routedEnd = m_endToken;
    if (routerCount() == 0) return {};
    const auto end = m_database.integer(fmt::format(
        "SELECT coalesce(max(block * {} + count), 0) FROM route_block WHERE run = {} AND router = 0",
        kBlockTokens, m_resumed.run.id));
    if (!end) return fail(end.error());
    m_resumed.tail.routedEnd = std::clamp<std::int64_t>(*end, 0, m_endToken);
    return {};
  }

  Result<void> readTokens() {
    for (std::int64_t block = routedBlock(); block * kBlockTokens < m_endToken; ++block) {
      const auto count =
          static_cast<int>(std::min<std::int64_t>(kBlockTokens, m_endToken - block * kBlockTokens));
      const auto tokens = m_reader.tokenBlock(m_resumed.run.id, block);
      if (!tokens || tokens->damaged || tokens->count < count)
        return fail(bad("the last tokens are damaged"));
      m_resumed.tail.tokenBlocks[block] = std::make_shared<TokenBlock>(headOf(*tokens, count));
    }
    return {};
  }

  Result<void> readRouter(int r) {
    const RouterSpec& spec = m_resumed.model.routers[static_cast<std::size_t>(r)];
    RouteBuilder& builder = m_resumed.tail.builders.emplace_back(spec, m_resumed.run.capture, routedBlock());
    const auto rows = static_cast<int>(m_resumed.tail.routedEnd % kBlockTokens);
    if (rows > 0) {
      const auto route = m_source.routeBlock(m_resumed.run.id, r, routedBlock());
      if (!route || route->damaged || route->count < rows) return fail(bad("the last choices are damaged"));
      const auto logits = m_resumed.run.capture == CaptureLevel::Full
                              ? m_source.logitBlock(m_resumed.run.id, r, routedBlock())
                              : nullptr;
      SequenceStats unused = emptyStats(spec.experts);
      builder.assign(*route, logits.get(), rows, rows, unused);
      if (auto set = restoreSums(r, builder); !set) return set;
    }
    return addPyramid(r);
  }

  /// Sums over rows that are kept. What a damaged block held cannot be counted into the levels above.
  Result<BlockSummary> nodeOver(int r, TokenRange tokens) {
    const RouterSpec& spec = m_resumed.model.routers[static_cast<std::size_t>(r)];
    BlockSummary node(spec.experts);
    node.count = tokens.size();
    if (tokens.size() == 0) return node;
    const LoadSummary load =
        computeLoad(m_source, {m_resumed.run.id, r, tokens, &spec, m_resumed.run.capture}, {});
    if (load.missing > 0) return fail(bad(fmt::format("a block of router {} is damaged", r)));
    node.tokens = load.tokens;
    node.slots = load.slots;
    node.massTokens = load.massTokens;
    node.entropyTokens = load.entropyTokens;
    node.entropySum = load.entropySum;
    std::ranges::copy(load.counts, node.counts.begin());
    node.gateMass = load.gateMass;
    return node;
  }

  Result<void> addPyramid(int r) {
    PyramidBuilder& pyramid =
        m_resumed.tail.pyramids.emplace_back(m_resumed.model.routers[static_cast<std::size_t>(r)].experts);
    const std::int64_t end = routedBlock() * kBlockTokens;
    for (int level = 1; level <= kTopSummaryLevel; ++level) {
      const std::int64_t begin = end / summarySpan(level) * summarySpan(level);
      const std::int64_t whole = end / summarySpan(level - 1) * summarySpan(level - 1);
      auto node = nodeOver(r, {begin, whole});
      if (!node) return fail(node.error());
      pyramid.restore(level, std::move(*node));
    }
    return {};
  }

  /// The logits of the tail block are gone below capture full, but the sums of its sequences are kept: all
  /// sequences together less all blocks before is the tail.
  Result<void> restoreSums(int r, RouteBuilder& builder) {
    const RouterSpec& spec = m_resumed.model.routers[static_cast<std::size_t>(r)];
    const auto before = nodeOver(r, {0, routedBlock() * kBlockTokens});
    if (!before) return fail(before.error());
    BlockSummary sums = builder.summary();
    sums.entropySum = -before->entropySum;
    sums.entropyTokens = -before->entropyTokens;
    std::vector<double> mass(before->gateMass.size());
    std::ranges::transform(before->gateMass, mass.begin(), std::negate<>());
    std::int64_t massTokens = -before->massTokens;
    for (const SequenceRecord& sequence : m_resumed.tail.sequences) {
      bool damaged = false;
      const auto stats = m_reader.stats(m_resumed.run.id, r, sequence.ordinal, spec, damaged);
      if (!stats) return {};  // keep what the blocks give
      sums.entropySum += stats->entropySum;
      sums.entropyTokens += stats->logitTokens;
      massTokens += stats->massTokens;
      for (std::size_t e = 0; e < mass.size(); ++e) mass[e] += stats->gateMass[e];
    }
    if (m_resumed.run.capture == CaptureLevel::Ids) {
      sums.gateMass = std::move(mass);
      sums.massTokens = massTokens;
    }
    builder.setSummary(std::move(sums));
    return {};
  }

  Result<void> remove() {
    const RunId run = m_resumed.run.id;
    const std::int64_t block = routedBlock();
    std::string sql = fmt::format(
        "DELETE FROM token_block WHERE run = {0} AND block >= {1};"
        "DELETE FROM route_block WHERE run = {0} AND block >= {1};"
        "DELETE FROM logit_block WHERE run = {0} AND block >= {1};"
        "DELETE FROM steering_event WHERE run = {0} AND token > {2};",
        run, block, m_endToken);
    for (int level = 0; level <= kTopSummaryLevel; ++level)
      sql += fmt::format("DELETE FROM summary WHERE run = {} AND level = {} AND block >= {};", run, level,
                         block >> (3 * level));
    const std::size_t sequences = m_resumed.tail.sequences.size();
    sql += fmt::format(
        "DELETE FROM sequence_stats WHERE run = {0} AND sequence >= {1};"
        "DELETE FROM sequence_label WHERE run = {0} AND sequence >= {1};"
        "DELETE FROM sequence WHERE run = {0} AND ordinal >= {1}",
        run, sequences);
    std::erase_if(m_resumed.tail.events,
                  [&](const SteeringEvent& event) { return event.token > m_endToken; });
    return m_database.execute(sql);
  }

  /// Without routers an entropy says that a row was forwarded.
  std::int64_t forwardedRows() {
    std::int64_t rows = 0;
    for (std::int64_t block = 0; block * kBlockTokens < m_endToken; ++block) {
      const auto tokens = m_reader.tokenBlock(m_resumed.run.id, block);
      if (!tokens || tokens->damaged) continue;
      const auto count = std::min<std::int64_t>(tokens->count, m_endToken - block * kBlockTokens);
      rows += std::count_if(tokens->entropies.begin(), tokens->entropies.begin() + count,
                            [](float entropy) { return !std::isnan(entropy); });
    }
    return rows;
  }

  /// One of each part of the model: a token is seen by the routers of its part.
  [[nodiscard]] std::vector<std::size_t> firstRouters() const {
    const auto& routers = m_resumed.model.routers;
    const auto isOfDecoder = [](const RouterSpec& router) {
      return router.encoderLayers > 0 && router.layer.value >= router.encoderLayers;
    };
    const auto decoder = std::ranges::find_if(routers, isOfDecoder);
    std::vector<std::size_t> first{0};
    if (decoder != routers.end() && decoder != routers.begin())
      first.push_back(static_cast<std::size_t>(decoder - routers.begin()));
    return first;
  }

  Result<void> setCounts() {
    RunRecord& run = m_resumed.run;
    run.status = RunStatus::Open;
    run.tokens = m_endToken;
    run.sequences = static_cast<std::int64_t>(m_resumed.tail.sequences.size());
    if (routerCount() == 0) {
      run.routedTokens = forwardedRows();
      return {};
    }
    run.routedTokens = 0;
    for (const std::size_t router : firstRouters()) {
      const auto before = nodeOver(static_cast<int>(router), {0, routedBlock() * kBlockTokens});
      if (!before) return fail(before.error());
      run.routedTokens += before->tokens + m_resumed.tail.builders[router].summary().tokens;
    }
    return {};
  }

  Result<void> writeTail() {
    WriteBatch batch;
    batch.run = m_resumed.run;
    for (const auto& [block, tokens] : m_resumed.tail.tokenBlocks)
      batch.tokens.push_back({0, block, tokens, false});
    for (int r = 0; r < routerCount(); ++r) {
      const RouteBuilder& builder = m_resumed.tail.builders[static_cast<std::size_t>(r)];
      if (builder.count() == 0) continue;
      batch.routes.push_back({r, builder.block(), builder.route(), false});
      if (builder.logits()) batch.logits.push_back({r, builder.block(), builder.logits(), false});
      batch.summaries.push_back(
          {r, 0, builder.block(), std::make_shared<const BlockSummary>(builder.summary()), false});
    }
    auto writer = BatchWriter::prepare(m_database);
    if (!writer) return fail(writer.error());
    return writer->write(batch, m_resumed.model.routers);
  }

  Database& m_database;
  BlockReader& m_reader;
  ResumedRun& m_resumed;
  FileBlocks m_source;  // the file as it is inside the transaction
  std::int64_t m_endToken = 0;
};

}  // namespace

Result<ResumedRun> cutToLastSequence(Database& database, RunId id) {
  ResumedRun resumed;
  auto run = readRun(database, id);
  if (!run) return fail(run.error());
  if (!*run)
    return fail("trace.no_such_run", database.file().string(), fmt::format("run {}", id), "no such run");
  resumed.run = std::move(**run);
  auto model = readModel(database, resumed.run.model);
  if (!model) return fail(model.error());
  if (!*model)
    return fail("trace.damaged", database.file().string(), fmt::format("run {}", id), "it has no model");
  resumed.model = std::move(**model);
  auto sequences = readSequences(database, id);
  if (!sequences) return fail(sequences.error());
  const auto open = std::ranges::find_if(*sequences, [](const SequenceRecord& s) { return !s.complete; });
  sequences->erase(open, sequences->end());
  resumed.tail.sequences = std::move(*sequences);
  auto events = readSteeringEvents(database, id);
  if (!events) return fail(events.error());
  resumed.tail.events = std::move(*events);
  auto effects = readRuleEffects(database, id);  // of a corpus run: over its complete sequences
  if (!effects) return fail(effects.error());
  resumed.tail.effects = std::move(*effects);
  auto reader = BlockReader::prepare(database);
  if (!reader) return fail(reader.error());
  if (auto cut = Cut(database, *reader, resumed).perform(); !cut) return fail(cut.error());
  return resumed;
}

}  // namespace moescope::trace
