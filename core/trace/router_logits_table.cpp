// The virtual table `router_logits`: one row a token, router and expert, at capture full.
#include "core/base/half.h"
#include "core/trace/decided_row.h"
#include "core/trace/token_walk.h"

namespace moescope::trace {

namespace {

enum Column { Run, Layer, Router, Token, Expert, Logit };

class LogitsCursor final : public TableCursor {
 public:
  explicit LogitsCursor(TableContext& context) : m_walk(context, {}) {}

  void begin(const Narrowing& narrowing) override {
    m_walk.begin(narrowing, {true, true});
    m_router = 0;
    m_expert = 0;
    settle();
  }

  void next() override {
    ++m_expert;
    settle();
  }

  [[nodiscard]] bool atEnd() const override { return m_walk.atEnd(); }

  void column(sqlite3_context* result, int column) const override {
    const int router = m_walk.routers()[m_router];
    switch (column) {
      case Run: return sqlite3_result_int64(result, m_walk.run().run.id);
      case Layer:
        return sqlite3_result_int(result, m_walk.run().routers[static_cast<std::size_t>(router)].layer.value);
      case Router: return sqlite3_result_int(result, router);
      case Token: return sqlite3_result_int64(result, m_walk.token());
      case Expert: return sqlite3_result_int64(result, m_expert);
      case Logit:
        return resultReal(
            result, halfToFloat(m_logits->halves[m_walk.row() * static_cast<std::size_t>(m_logits->experts) +
                                                 static_cast<std::size_t>(m_expert)]));
      default: return;
    }
  }

 private:
  /// A row that never got a decision has no logits either.
  [[nodiscard]] bool hasLogits(const RouteBlock* route) const {
    return route != nullptr && isDecided(*route, m_walk.row());
  }

  void settle() {
    const auto& wanted = m_walk.narrowing().expert;
    while (!m_walk.atEnd()) {
      for (; m_router < m_walk.routers().size(); ++m_router, m_expert = 0) {
        m_logits = m_walk.logits(m_router);
        if (m_logits == nullptr || m_expert >= m_logits->experts) continue;
        if (m_expert == 0 && !hasLogits(m_walk.route(m_router))) continue;
        if (!wanted) return;
        if (*wanted >= m_expert && *wanted < m_logits->experts) {
          m_expert = *wanted;
          return;
        }
      }
      m_walk.next();
      m_router = 0;
      m_expert = 0;
    }
  }

  TokenWalk m_walk;
  std::size_t m_router = 0;  // index into the walk's routers
  std::int64_t m_expert = 0;
  const LogitBlock* m_logits = nullptr;
};

}  // namespace

const TableDefinition& routerLogitsTable() {
  static const TableDefinition definition{
      "router_logits",
      "CREATE TABLE x(run INTEGER, layer INTEGER, router INTEGER, token_index INTEGER, expert INTEGER, logit "
      "REAL)",
      {.run = Run, .layer = Layer, .router = Router, .expert = Expert, .token = Token},
      {Run, Token, Router, Expert},
      [](TableContext& context) -> std::unique_ptr<TableCursor> {
        return std::make_unique<LogitsCursor>(context);
      }};
  return definition;
}

}  // namespace moescope::trace
