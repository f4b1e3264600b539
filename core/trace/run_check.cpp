#include "core/trace/run_check.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/trace/record_tables.h"
#include "core/trace/run_repair.h"
#include "core/trace/topk_check.h"

namespace moescope::trace {

std::string RunCheck::place() const { return fmt::format("run {}", m_run.id); }

std::string RunCheck::place(int router, std::int64_t block) const {
  return fmt::format("run {}, router {}, layer {}, block {}", m_run.id, router,
                     m_model.routers[static_cast<std::size_t>(router)].layer.value, block);
}

int RunCheck::routerCount() const {
  return m_run.capture == CaptureLevel::None ? 0 : static_cast<int>(m_model.routers.size());
}

Result<void> RunCheck::perform(const std::function<bool()>& step) {
  auto model = readModel(m_database, m_run.model);
  if (!model || !*model) {
    m_report.add(place(), model ? "its model is missing" : model.error().message);
    return {};
  }
  m_model = std::move(**model);
  auto sequences = readSequences(m_database, m_run.id);
  if (!sequences) {
    m_report.add(place(), "its sequences cannot be read: " + sequences.error().message);
    return {};
  }
  m_sequences = std::move(*sequences);
  if (auto counted = checkCounts(); !counted) return counted;
  auto tokens = listBlocks("token_block", "", place() + ", tokens");
  if (!tokens) return fail(tokens.error());
  m_tokens = *tokens;
  if (auto listed = listRoutes(); !listed) return listed;
  if (auto strays = checkStrays(); !strays) return strays;
  const auto whole = checkBlocks(step);
  if (!whole || !*whole) return whole ? Result<void>{} : fail(whole.error());
  checkEvents();
  return checkVocabulary();
}

Result<void> RunCheck::checkCounts() {
  if (m_run.status == RunStatus::Open && !m_isWritten)
    m_report.addCount(m_run.id, place(),
                      "the program that recorded it was killed, so it is still marked as open");
  const auto counts = countRun(m_database, m_run);
  if (!counts) {
    m_report.add(place(), "its blocks cannot be counted: " + counts.error().message);
    return {};
  }
  const auto compare = [&](const char* what, std::int64_t claimed, std::int64_t found) {
    if (claimed != found)
      m_report.addCount(m_run.id, place(),
                        fmt::format("claims {} {}, the file holds {}", claimed, what, found));
  };
  compare("tokens", m_run.tokens, counts->tokens);
  compare("routed tokens", m_run.routedTokens, counts->routedTokens);
  compare("sequences", m_run.sequences, counts->sequences);
  return {};
}

Result<RunCheck::BlockList> RunCheck::listBlocks(const std::string& table, const std::string& condition,
                                                 const std::string& where) {
  auto rows = m_database.prepare(
      fmt::format("SELECT block, count FROM {} WHERE run = {}{} ORDER BY block", table, m_run.id, condition));
  if (!rows) return fail(rows.error());
  BlockList list;
  bool whole = true;
  int code = SQLITE_ROW;
  while ((code = rows->step()) == SQLITE_ROW) {
    const std::int64_t block = rows->integer(0);
    const std::int64_t count = rows->integer(1);
    const bool fits =
        block == list.blocks && list.rows % kBlockTokens == 0 && count >= 1 && count <= kBlockTokens;
    if (!fits && std::exchange(whole, false))
      m_report.add(fmt::format("{}, block {}", where, block), "blocks before it are missing or short");
    if (!whole) continue;
    ++list.blocks;
    list.rows += count;
  }
  if (code != SQLITE_DONE)
    m_report.add(where, fmt::format("the list of blocks is damaged: {}", m_database.error(code).message));
  return list;
}

Result<void> RunCheck::listRoutes() {
  for (int r = 0; r < routerCount(); ++r) {
    const std::string where = fmt::format("run {}, router {}", m_run.id, r);
    auto list = listBlocks("route_block", fmt::format(" AND router = {}", r), where);
    if (!list) return fail(list.error());
    m_routes.push_back(*list);
    if (list->rows > m_tokens.rows)
      m_report.add(where, fmt::format("has {} rows of choices for {} tokens", list->rows, m_tokens.rows));
    if (list->rows != m_routes.front().rows)
      m_report.add(where, fmt::format("has {} rows of choices where router 0 has {}", list->rows,
                                      m_routes.front().rows));
    if (m_run.capture != CaptureLevel::Full) continue;
    auto logits = listBlocks("logit_block", fmt::format(" AND router = {}", r), where + ", logits");
    if (!logits) return fail(logits.error());
    if (logits->rows != list->rows)
      m_report.add(where,
                   fmt::format("has {} rows of logits for {} rows of choices", logits->rows, list->rows));
  }
  return {};
}

Result<void> RunCheck::checkStrays() {
  for (const char* table : {"route_block", "logit_block", "summary", "sequence_stats"}) {
    const bool none = std::string_view(table) == "logit_block" && m_run.capture != CaptureLevel::Full;
    const auto strays = m_database.integer(
        fmt::format("SELECT count(*) FROM {} WHERE run = {} AND router NOT BETWEEN 0 AND {}", table, m_run.id,
                    none ? -1 : routerCount() - 1));
    if (!strays) {
      m_report.add(place(), fmt::format("the table {} is damaged: {}", table, strays.error().message));
    } else if (*strays > 0) {
      m_report.add(place(), fmt::format("the table {} has {} rows of routers that the run does not have",
                                        table, *strays));
    }
  }
  return {};
}

std::shared_ptr<const TokenBlock> RunCheck::checkTokens(std::int64_t block) {
  const std::string where = fmt::format("run {}, tokens, block {}", m_run.id, block);
  auto tokens = m_reader.tokenBlock(m_run.id, block);
  if (!tokens || tokens->damaged) {
    m_report.add(where, tokens ? "it is damaged" : "it is missing");
    return nullptr;
  }
  const auto negative = [](std::int32_t value) { return value < 0; };
  if (std::ranges::any_of(tokens->ids, negative) || std::ranges::any_of(tokens->positions, negative))
    m_report.add(where, "a token has a negative id or position");
  if (std::ranges::any_of(tokens->phases, [](std::uint8_t phase) { return phase > 1; }))
    m_report.add(where, "a token is neither prefill nor decode");
  m_ids.insert(tokens->ids.begin(), tokens->ids.end());
  return tokens;
}

void RunCheck::checkLogits(std::int64_t block, int router, const RouteBlock& route) {
  const RouterSpec& spec = m_model.routers[static_cast<std::size_t>(router)];
  const auto logits = m_reader.logitBlock(m_run.id, router, block, spec);
  if (!logits || logits->damaged)
    return m_report.add(place(router, block), logits ? "its logits are damaged" : "its logits are missing");
  if (logits->count != route.count)
    return m_report.add(place(router, block), "logits and choices differ in rows");
  const TopkVerdict verdict = recomputeTopk(route, *logits, spec);
  if (verdict.different > 0)
    m_report.add(
        place(router, block),
        fmt::format("top-{} of the stored logits is not what was recorded in {} of {} rows, first in row {}",
                    spec.topK, verdict.different, verdict.compared, block * kBlockTokens + verdict.firstRow));
}

std::shared_ptr<const RouteBlock> RunCheck::checkRoutes(std::int64_t block, int router) {
  const RouterSpec& spec = m_model.routers[static_cast<std::size_t>(router)];
  auto route = m_reader.routeBlock(m_run.id, router, block, spec, m_run.capture);
  if (!route || route->damaged) {
    m_report.add(place(router, block), route ? "it is damaged" : "it is missing");
    return nullptr;
  }
  if (m_run.capture == CaptureLevel::Full) checkLogits(block, router, *route);
  return route;
}

Result<bool> RunCheck::checkBlocks(const std::function<bool()>& step) {
  SequenceCheck sequences(m_report, m_reader, m_run, m_model.routers, m_sequences);
  std::vector<SummaryCheck> summaries;
  summaries.reserve(static_cast<std::size_t>(routerCount()));
  for (int r = 0; r < routerCount(); ++r)
    summaries.emplace_back(m_report, m_reader, m_run, r, m_model.routers[static_cast<std::size_t>(r)]);
  for (std::int64_t block = 0; block < m_tokens.blocks; ++block) {
    if (!step()) return false;
    const auto tokens = checkTokens(block);
    std::vector<std::shared_ptr<const RouteBlock>> routes;
    for (int r = 0; r < routerCount(); ++r) {
      const auto index = static_cast<std::size_t>(r);
      if (block >= m_routes[index].blocks) {
        routes.push_back(std::make_shared<const RouteBlock>());  // pending rows
        continue;
      }
      routes.push_back(checkRoutes(block, r));
      summaries[index].add(block, routes.back().get());
    }
    sequences.add(block, tokens.get(), routes);
  }
  sequences.finish();
  return true;
}

void RunCheck::checkEvents() {
  const auto events = readSteeringEvents(m_database, m_run.id);
  if (!events) return m_report.add(place(), "its steering events cannot be read: " + events.error().message);
  for (const SteeringEvent& event : *events) {
    if (event.token > m_run.tokens)
      m_report.add(place(),
                   fmt::format("a steering event stands at row {} of {}", event.token, m_run.tokens));
  }
}

Result<void> RunCheck::checkVocabulary() {
  auto rows = m_database.prepare("SELECT token FROM vocabulary WHERE model = ?");
  if (!rows) return fail(rows.error());
  rows->bind(1, m_run.model);
  int code = SQLITE_ROW;
  while ((code = rows->step()) == SQLITE_ROW) {
    const std::int64_t token = rows->integer(0);
    if (token >= 0 && token <= std::numeric_limits<std::int32_t>::max())
      m_ids.erase(static_cast<std::int32_t>(token));
  }
  if (code != SQLITE_DONE) {
    m_report.add(place(), "its vocabulary cannot be read: " + m_database.error(code).message);
  } else if (!m_ids.empty()) {
    m_report.add(place(), fmt::format("the text of {} token ids is missing, for one {}", m_ids.size(),
                                      *m_ids.begin()));
  }
  return {};
}

}  // namespace moescope::trace
