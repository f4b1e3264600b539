// TokenWalk: the token rows of a file that a query asks for, run by run and block by block.
// Not what is chosen at a row (the tables do that).
#pragma once

#include <memory>
#include <vector>

#include "core/trace/virtual_table.h"

namespace moescope::trace {

class TokenWalk {
 public:
  struct Wanted {
    bool routes = false;
    bool logits = false;
  };

  TokenWalk(TableContext& context, Wanted wanted) : m_context(context), m_wanted(wanted) {}

  /// Stands on the first row.
  void begin(const Narrowing& narrowing, Wanted wanted);
  void next();
  [[nodiscard]] bool atEnd() const { return m_atEnd; }

  [[nodiscard]] TableContext& context() const { return m_context; }
  [[nodiscard]] const Narrowing& narrowing() const { return m_narrowing; }
  [[nodiscard]] const RunView& run() const { return *m_run; }
  [[nodiscard]] std::int64_t token() const { return m_token; }
  [[nodiscard]] std::size_t row() const { return static_cast<std::size_t>(m_token % kBlockTokens); }
  /// Null if the block is missing or damaged, or has no such row.
  [[nodiscard]] const TokenBlock* tokens() const;
  /// Routers that the query allows, ascending.
  [[nodiscard]] const std::vector<int>& routers() const { return m_routers; }
  /// Of routers()[i]; null likewise.
  [[nodiscard]] const RouteBlock* route(std::size_t i) const;
  [[nodiscard]] const LogitBlock* logits(std::size_t i) const;

  /// Columns of the token that several tables show.
  void sequenceResult(sqlite3_context* result) const;
  void positionResult(sqlite3_context* result) const;
  void tokenIdResult(sqlite3_context* result) const;
  void tokenTextResult(sqlite3_context* result) const;
  void phaseResult(sqlite3_context* result) const;
  void labelResult(sqlite3_context* result) const;

 private:
  bool enterRun();
  void loadBlock();
  void settle();
  [[nodiscard]] bool matchesSequence();

  TableContext& m_context;
  Wanted m_wanted;
  Narrowing m_narrowing;
  std::size_t m_nextRun = 0;
  std::shared_ptr<const RunView> m_run;
  std::int64_t m_token = 0, m_end = 0;
  std::int64_t m_block = -1;
  std::int64_t m_sequenceLeft = 0;  // rows of the wanted sequence still to come
  std::shared_ptr<const TokenBlock> m_tokens;
  std::vector<int> m_routers;
  std::vector<std::shared_ptr<const RouteBlock>> m_routes;
  std::vector<std::shared_ptr<const LogitBlock>> m_logits;
  bool m_atEnd = true;
};

}  // namespace moescope::trace
