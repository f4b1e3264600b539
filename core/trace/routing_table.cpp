// The virtual table `routing`: one row a choice, in the order run, token, router, rank.
#include <algorithm>

#include "core/base/half.h"
#include "core/trace/token_walk.h"

namespace moescope::trace {

namespace {

enum Column {
  Run,
  Sequence,
  Position,
  Token,
  TokenId,
  Text,
  PhaseWord,
  Layer,
  Router,
  Rank,
  Expert,
  Weight,
  Logit,
  Native,
  Label
};

class RoutingCursor final : public TableCursor {
 public:
  explicit RoutingCursor(TableContext& context) : m_walk(context, {}) {}

  void begin(const Narrowing& narrowing) override {
    m_walk.begin(narrowing, {true, narrowing.uses(Logit)});
    m_router = 0;
    m_rank = 0;
    settle();
  }

  void next() override {
    ++m_rank;
    settle();
  }

  [[nodiscard]] bool atEnd() const override { return m_walk.atEnd(); }

  void column(sqlite3_context* result, int column) const override {
    const int router = m_walk.routers()[m_router];
    switch (column) {
      case Run: return sqlite3_result_int64(result, m_walk.run().run.id);
      case Sequence: return m_walk.sequenceResult(result);
      case Position: return m_walk.positionResult(result);
      case Token: return sqlite3_result_int64(result, m_walk.token());
      case TokenId: return m_walk.tokenIdResult(result);
      case Text: return m_walk.tokenTextResult(result);
      case PhaseWord: return m_walk.phaseResult(result);
      case Layer:
        return sqlite3_result_int(result, m_walk.run().routers[static_cast<std::size_t>(router)].layer.value);
      case Router: return sqlite3_result_int(result, router);
      case Rank: return sqlite3_result_int(result, static_cast<int>(m_rank));
      case Expert: return sqlite3_result_int(result, expert());
      case Weight:
        if (!m_route->weights.empty()) resultReal(result, m_route->weights[slot()]);
        return;
      case Logit: return logitResult(result);
      case Native: return sqlite3_result_int(result, isNative() ? 1 : 0);
      case Label: return m_walk.labelResult(result);
      default: return;
    }
  }

 private:
  [[nodiscard]] std::size_t slot() const {
    return m_walk.row() * static_cast<std::size_t>(m_route->width) + m_rank;
  }
  [[nodiscard]] std::uint16_t expert() const { return m_route->ids[slot()]; }

  [[nodiscard]] bool isNative() const {
    if (m_route->droppedNativeMass.empty()) return true;
    const std::size_t topK = m_route->nativeIds.size() / static_cast<std::size_t>(m_route->count);
    const auto first = m_route->nativeIds.begin() + static_cast<std::ptrdiff_t>(m_walk.row() * topK);
    const auto last = first + static_cast<std::ptrdiff_t>(topK);
    return std::find(first, last, expert()) != last;
  }

  void logitResult(sqlite3_context* result) const {
    const LogitBlock* logits = m_walk.logits(m_router);
    if (logits == nullptr) return;
    const std::size_t at = m_walk.row() * static_cast<std::size_t>(logits->experts) + expert();
    resultReal(result, halfToFloat(logits->halves[at]));
  }

  /// Moves on to the next slot that holds a wanted expert.
  void settle() {
    const auto& wanted = m_walk.narrowing().expert;
    while (!m_walk.atEnd()) {
      for (; m_router < m_walk.routers().size(); ++m_router, m_rank = 0) {
        m_route = m_walk.route(m_router);
        if (m_route == nullptr) continue;
        const auto width = static_cast<std::size_t>(m_route->width);
        while (m_rank < width && (expert() == kEmptySlot || (wanted && *wanted != expert()))) ++m_rank;
        if (m_rank < width) return;
      }
      m_walk.next();
      m_router = 0;
      m_rank = 0;
    }
  }

  TokenWalk m_walk;
  std::size_t m_router = 0;  // index into the walk's routers
  std::size_t m_rank = 0;
  const RouteBlock* m_route = nullptr;
};

}  // namespace

const TableDefinition& routingTable() {
  static const TableDefinition definition{
      "routing",
      "CREATE TABLE x(run INTEGER, sequence INTEGER, position INTEGER, token_index INTEGER, token_id INTEGER,"
      " token TEXT, phase TEXT, layer INTEGER, router INTEGER, rank INTEGER, expert INTEGER, weight REAL,"
      " logit REAL, native INTEGER, label TEXT)",
      {.run = Run, .layer = Layer, .router = Router, .sequence = Sequence, .expert = Expert, .token = Token},
      {Run, Token, Router, Rank},
      [](TableContext& context) -> std::unique_ptr<TableCursor> {
        return std::make_unique<RoutingCursor>(context);
      }};
  return definition;
}

}  // namespace moescope::trace
