// The virtual table `expert_load`: one row a run, router and expert, over the whole run.
#include "core/trace/load_query.h"
#include "core/trace/virtual_table.h"

namespace moescope::trace {

namespace {

enum Column { Run, Layer, Router, Expert, Tokens, Share, GateMass };

class ExpertLoadCursor final : public TableCursor {
 public:
  explicit ExpertLoadCursor(TableContext& context) : m_context(context) {}

  void begin(const Narrowing& narrowing) override {
    m_narrowing = narrowing;
    m_nextRun = 0;
    m_view = nullptr;
    m_atEnd = narrowing.nothing;
    m_load = {};
    m_expert = -1;
    if (!m_atEnd) next();
  }

  void next() override {
    ++m_expert;
    while (true) {
      while (m_view && m_expert >= static_cast<std::int64_t>(m_load.counts.size()) && nextRouter()) {
      }
      const auto experts = static_cast<std::int64_t>(m_load.counts.size());
      if (m_view && m_expert < experts) {
        if (!m_narrowing.expert) return;
        if (*m_narrowing.expert >= m_expert && *m_narrowing.expert < experts) {
          m_expert = *m_narrowing.expert;
          return;
        }
        m_expert = experts;
        continue;
      }
      if (!nextRun()) {
        m_atEnd = true;
        return;
      }
    }
  }

  [[nodiscard]] bool atEnd() const override { return m_atEnd; }

  void column(sqlite3_context* result, int column) const override {
    const auto expert = static_cast<std::size_t>(m_expert);
    switch (column) {
      case Run: return sqlite3_result_int64(result, m_view->run.id);
      case Layer:
        return sqlite3_result_int(result, m_view->routers[static_cast<std::size_t>(m_router)].layer.value);
      case Router: return sqlite3_result_int(result, m_router);
      case Expert: return sqlite3_result_int64(result, m_expert);
      case Tokens: return sqlite3_result_int64(result, m_load.counts[expert]);
      case Share:
        // m_i of the design: choices of the expert by all choices, so the shares of a router sum to 1.
        if (m_load.slots > 0)
          sqlite3_result_double(
              result, static_cast<double>(m_load.counts[expert]) / static_cast<double>(m_load.slots));
        return;
      case GateMass: return sqlite3_result_double(result, m_load.gateMass[expert]);
      default: return;
    }
  }

 private:
  bool nextRun() {
    while (m_nextRun < m_context.runs().size()) {
      const RunId id = m_context.runs()[m_nextRun++];
      if (m_narrowing.run && *m_narrowing.run != id) continue;
      m_view = m_context.run(id);
      m_router = -1;
      m_load = {};
      m_expert = 0;
      if (m_view && m_view->run.capture != CaptureLevel::None) return true;
    }
    m_view = nullptr;
    return false;
  }

  bool nextRouter() {
    while (++m_router < static_cast<int>(m_view->routers.size())) {
      const RouterSpec& spec = m_view->routers[static_cast<std::size_t>(m_router)];
      if (!m_narrowing.allows(spec, m_router)) continue;
      if (m_context.isStopped()) break;
      m_load =
          computeLoad(m_context.blocks(*m_view),
                      {m_view->run.id, m_router, {0, m_view->run.tokens}, &spec, m_view->run.capture}, {});
      m_expert = 0;
      return true;
    }
    m_load = {};
    m_expert = 0;
    return false;
  }

  TableContext& m_context;
  Narrowing m_narrowing;
  std::size_t m_nextRun = 0;
  std::shared_ptr<const RunView> m_view;
  int m_router = -1;
  LoadSummary m_load;
  std::int64_t m_expert = -1;
  bool m_atEnd = true;
};

}  // namespace

const TableDefinition& expertLoadTable() {
  static const TableDefinition definition{
      "expert_load",
      "CREATE TABLE x(run INTEGER, layer INTEGER, router INTEGER, expert INTEGER, tokens INTEGER, share REAL,"
      " gate_mass REAL)",
      {.run = Run, .layer = Layer, .router = Router, .expert = Expert},
      {Run, Router, Expert},
      [](TableContext& context) -> std::unique_ptr<TableCursor> {
        return std::make_unique<ExpertLoadCursor>(context);
      }};
  return definition;
}

}  // namespace moescope::trace
