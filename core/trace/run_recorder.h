// SqliteRunRecorder: the RunRecorder of one live run. Not thread-safe, as its interface says.
#pragma once

#include <memory>

#include "core/trace/live_run.h"
#include "core/trace/sqlite_trace_store.h"

namespace moescope::trace {

class SqliteRunRecorder final : public RunRecorder {
 public:
  SqliteRunRecorder(std::shared_ptr<SqliteTraceStore> store, std::shared_ptr<LiveRun> live)
      : m_store(std::move(store)), m_live(std::move(live)) {}
  ~SqliteRunRecorder() override;

  [[nodiscard]] RunId run() const override { return m_live->id(); }
  [[nodiscard]] std::int64_t tokens() const override { return m_live->tokens(); }
  std::int32_t beginSequence(const SequenceStart& start) override;
  Result<std::int64_t> appendTokens(std::span<const TokenRow> rows,
                                    std::span<const std::string> bytes) override;
  Result<void> appendRouting(const RoutingBatch& batch) override;
  Result<void> endSequence(bool complete) override;
  Result<void> steeringChanged(const std::string& programJson, bool counterfactual) override;
  void setRuleEffects(std::span<const RuleEffect> effects) override { m_live->setRuleEffects(effects); }
  Result<void> copyRows(RunId source, std::int64_t endToken) override;
  Result<void> end(RunStatus status) override;

 private:
  Result<void> adoptSequences(RunId source, std::int64_t endToken);
  /// Returns how many of the rows have choices.
  Result<int> copyBlock(RunId source, std::int64_t block, int count, std::int64_t routedEnd);
  /// Without routers: the row after the last one that was forwarded.
  [[nodiscard]] std::int64_t routedEndOf(RunId source, std::int64_t endToken) const;
  [[nodiscard]] Error refused(std::string message) const;

  std::shared_ptr<SqliteTraceStore> m_store;
  std::shared_ptr<LiveRun> m_live;
  bool m_ended = false;
};

}  // namespace moescope::trace
