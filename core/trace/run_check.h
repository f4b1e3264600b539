// RunCheck: every block, count and sum of one run. Read-only.
#pragma once

#include <functional>
#include <unordered_set>

#include "core/trace/block_reader.h"
#include "core/trace/check_report.h"
#include "core/trace/sequence_check.h"
#include "core/trace/sqlite_handle.h"
#include "core/trace/summary_check.h"

namespace moescope::trace {

class RunCheck {
 public:
  /// Borrows all; `isWritten`: a program is recording into the file right now.
  RunCheck(Database& database, BlockReader& reader, const RunRecord& run, CheckReport& report, bool isWritten)
      : m_database(database), m_reader(reader), m_run(run), m_report(report), m_isWritten(isWritten) {}

  /// `step` is called once a block and ends the check by returning false. Errors: only those that leave
  /// nothing to check with; what is wrong with the run goes into the report.
  Result<void> perform(const std::function<bool()>& step);

 private:
  struct BlockList {
    std::int64_t rows = 0, blocks = 0;  ///< up to the first hole
  };

  Result<void> checkCounts();
  Result<BlockList> listBlocks(const std::string& table, const std::string& condition,
                               const std::string& where);
  Result<void> listRoutes();
  Result<void> checkStrays();
  Result<bool> checkBlocks(const std::function<bool()>& step);
  std::shared_ptr<const TokenBlock> checkTokens(std::int64_t block);
  std::shared_ptr<const RouteBlock> checkRoutes(std::int64_t block, int router);
  void checkLogits(std::int64_t block, int router, const RouteBlock& route);
  Result<void> checkVocabulary();
  void checkEvents();
  [[nodiscard]] std::string place() const;
  [[nodiscard]] std::string place(int router, std::int64_t block) const;
  [[nodiscard]] int routerCount() const;

  Database& m_database;
  BlockReader& m_reader;
  const RunRecord& m_run;
  CheckReport& m_report;
  const bool m_isWritten;
  ModelRecord m_model;
  std::vector<SequenceRecord> m_sequences;
  BlockList m_tokens;
  std::vector<BlockList> m_routes;  // [routers]
  std::unordered_set<std::int32_t> m_ids;
};

}  // namespace moescope::trace
