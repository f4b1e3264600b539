// Results of analyses that a SqliteTraceStore keeps, so that they need not be computed again.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/base/crc32.h"
#include "core/base/unix_time.h"
#include "core/trace/sqlite_trace_store.h"

namespace moescope::trace {

namespace {

constexpr const char* kSameKeys = " WHERE analysis = ? AND parameters = ? AND inputs = ?";

struct ResultKeys {
  const std::string& analysis;
  const std::string& parameters;
  const std::string& inputs;

  Statement& bindTo(Statement& statement) const {
    return statement.bind(1, analysis).bind(2, parameters).bind(3, inputs);
  }
};

Result<void> write(Database& database, const ResultKeys& keys, std::string_view result) {
  auto remove = database.prepare(std::string("DELETE FROM analysis_result") + kSameKeys);
  if (!remove) return fail(remove.error());
  if (const int code = keys.bindTo(*remove).run(); code != SQLITE_DONE) return fail(database.error(code));
  auto insert = database.prepare(
      "INSERT INTO analysis_result (analysis, parameters, inputs, result, crc, created_ms)"
      " VALUES (?, ?, ?, ?, ?, ?)");
  if (!insert) return fail(insert.error());
  const auto bytes = std::as_bytes(std::span(result));
  keys.bindTo(*insert).bind(4, bytes).bind(5, std::int64_t{crc32(0, bytes)}).bind(6, unixMilliseconds());
  if (const int code = insert->run(); code != SQLITE_DONE) return fail(database.error(code));
  return database.execute(
      fmt::format("DELETE FROM analysis_result WHERE id NOT IN (SELECT id FROM analysis_result ORDER BY id "
                  "DESC LIMIT {})",
                  kMostResults));
}

}  // namespace

std::string analysisInputs(const TraceStore& store, std::span<const RunId> runs) {
  // The number after the dot counts commits of the whole file; another run's rows do not matter here.
  const std::string content = store.contentId();
  nlohmann::ordered_json inputs{{"file", content.substr(0, content.find('.'))},
                                {"runs", nlohmann::ordered_json::array()}};
  for (const RunId id : runs) {
    const auto run = store.run(id);
    // Ids are never used twice in a file; a resumed run ends at another time.
    inputs["runs"].push_back({{"run", id},
                              {"tokens", run ? run->tokens : -1},
                              {"routed_tokens", run ? run->routedTokens : -1},
                              {"ended_ms", run ? run->endedMs : -1}});
  }
  return inputs.dump();
}

std::optional<std::string> SqliteTraceStore::cachedResult(const std::string& analysis,
                                                          const std::string& parametersJson,
                                                          const std::string& inputsJson) const {
  {
    const auto reader = m_readers.lease();
    if (!reader) return std::nullopt;
    auto query =
        reader->database.prepare(std::string("SELECT crc, length(result), result FROM analysis_result") +
                                 kSameKeys + " ORDER BY id DESC LIMIT 1");
    if (!query) return std::nullopt;
    ResultKeys{analysis, parametersJson, inputsJson}.bindTo(*query);
    if (query->step() != SQLITE_ROW) return std::nullopt;
    if (query->integer(1) <= kMostResultBytes) {
      const auto bytes = query->blob(2);
      if (query->integer(0) == std::int64_t{crc32(0, bytes)})
        return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
  }
  warnOnce(fmt::format("a kept result of the analysis {} is damaged", analysis));
  return std::nullopt;
}

Result<void> SqliteTraceStore::keepResult(const std::string& analysis, const std::string& parametersJson,
                                          const std::string& inputsJson, std::string_view result) {
  // A result too large to keep is computed again.
  if (!m_writer || static_cast<std::int64_t>(result.size()) > kMostResultBytes) return {};
  return m_writer->call([&](Database& database) {
    return write(database, {analysis, parametersJson, inputsJson}, result);
  });
}

}  // namespace moescope::trace
