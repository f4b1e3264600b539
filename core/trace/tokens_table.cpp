// The virtual table `tokens`: one row a token, in the order run, token.
#include <cmath>

#include <fmt/format.h>

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
  LogProb,
  Entropy,
  Alternatives,
  Label
};

class TokensCursor final : public TableCursor {
 public:
  explicit TokensCursor(TableContext& context) : m_walk(context, {}) {}

  void begin(const Narrowing& narrowing) override { m_walk.begin(narrowing, {}); }
  void next() override { m_walk.next(); }
  [[nodiscard]] bool atEnd() const override { return m_walk.atEnd(); }

  void column(sqlite3_context* result, int column) const override {
    const TokenBlock* block = m_walk.tokens();
    switch (column) {
      case Run: return sqlite3_result_int64(result, m_walk.run().run.id);
      case Sequence: return m_walk.sequenceResult(result);
      case Position: return m_walk.positionResult(result);
      case Token: return sqlite3_result_int64(result, m_walk.token());
      case TokenId: return m_walk.tokenIdResult(result);
      case Text: return m_walk.tokenTextResult(result);
      case PhaseWord: return m_walk.phaseResult(result);
      case LogProb:
        if (block != nullptr) resultReal(result, block->logProbs[m_walk.row()]);
        return;
      case Entropy:
        if (block != nullptr) resultReal(result, block->entropies[m_walk.row()]);
        return;
      case Alternatives:
        if (block != nullptr) alternativesResult(result, *block);
        return;
      case Label: return m_walk.labelResult(result);
      default: return;
    }
  }

 private:
  /// JSON [[id, log-probability], ...], best first; NULL where there are none.
  void alternativesResult(sqlite3_context* result, const TokenBlock& block) const {
    std::string json;
    for (std::size_t a = 0; a < kAlternatives; ++a) {
      const std::size_t at = m_walk.row() * kAlternatives + a;
      if (block.alternativeIds[at] < 0 || std::isnan(block.alternativeLogProbs[at])) continue;
      json += fmt::format("{}[{},{:.6g}]", json.empty() ? "" : ",", block.alternativeIds[at],
                          block.alternativeLogProbs[at]);
    }
    if (!json.empty()) resultText(result, "[" + json + "]");
  }

  TokenWalk m_walk;
};

}  // namespace

const TableDefinition& tokensTable() {
  static const TableDefinition definition{
      "tokens",
      "CREATE TABLE x(run INTEGER, sequence INTEGER, position INTEGER, token_index INTEGER, token_id INTEGER,"
      " token TEXT, phase TEXT, logprob REAL, entropy REAL, alternatives TEXT, label TEXT)",
      {.run = Run, .sequence = Sequence, .token = Token},
      {Run, Token},
      [](TableContext& context) -> std::unique_ptr<TableCursor> {
        return std::make_unique<TokensCursor>(context);
      }};
  return definition;
}

}  // namespace moescope::trace
