// LiveRun: one run while it is being recorded: its tails, what is not yet committed, and the bounded queue
// between the engine and the writer. Not the disk (store_writer.h) and not finished blocks (block_cache.h).
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/base/result.h"
#include "core/trace/block_summary.h"
#include "core/trace/route_builder.h"
#include "core/trace/trace_store.h"
#include "core/trace/write_batch.h"

namespace moescope::trace {

/// Where a resumed run goes on: the state after its last complete sequence.
struct RunTail {
  std::int64_t routedEnd = 0;                                       ///< rows decided or passed over
  std::map<std::int64_t, std::shared_ptr<TokenBlock>> tokenBlocks;  ///< from the block of routedEnd on
  std::vector<RouteBuilder> builders;                               ///< empty at capture none
  std::vector<PyramidBuilder> pyramids;
  std::vector<SequenceRecord> sequences;
  std::vector<SteeringEvent> events;
  std::vector<RuleEffect> effects;
};

/// One block of another run, to be copied whole or cut.
struct CopiedBlock {
  std::shared_ptr<const TokenBlock> tokens;
  std::vector<std::shared_ptr<const RouteBlock>> routes;  ///< [routers]; empty where nothing is decided
  std::vector<std::shared_ptr<const LogitBlock>> logits;  ///< [routers] at capture full, else empty
  std::vector<std::shared_ptr<const BlockSummary>>
      summaries;        ///< [routers] if the decided rows are all taken
  int count = 0;        ///< token rows to take
  int decided = 0;      ///< rows to take from the routes
  int decidedRows = 0;  ///< those of them that have a decision
};

/// The first `count` rows of a token block.
TokenBlock headOf(const TokenBlock& block, int count);

/// Age of the queue at which the engine waits for the disk.
inline constexpr std::chrono::milliseconds kLongestQueueAge{1000};

class LiveRun {
 public:
  using Clock = std::chrono::steady_clock;
  template <class Block>
  using Snapshot = std::optional<std::shared_ptr<const Block>>;  ///< nullopt: ask the file

  /// `wake` tells the writer that there is something to write (true: at once).
  LiveRun(RunRecord run, std::vector<RouterSpec> routers, std::int64_t queueLimitBytes,
          std::function<void(bool urgent)> wake);

  // The recorder's thread.
  std::int32_t beginSequence(const RunRecorder::SequenceStart& start);
  Result<std::int64_t> appendTokens(std::span<const TokenRow> rows, std::span<const std::string> bytes);
  Result<void> appendRouting(const RoutingBatch& batch);
  Result<void> endSequence(bool complete);
  Result<void> steeringChanged(const std::string& programJson, bool counterfactual);
  void setRuleEffects(std::span<const RuleEffect> effects);
  /// Ends an open sequence as incomplete and sets the status; nothing can be appended after it.
  Result<void> finish(RunStatus status);
  /// Before anything is appended: goes on after the rows that `tail` describes.
  void restore(RunTail tail);
  /// Of a run that is being copied: a sequence that ended, with its sums [routers] (empty if it has none).
  void adoptSequence(const SequenceRecord& sequence, std::vector<SequenceStats> stats);
  /// The sequence that goes on after the copied rows, unless one was begun.
  void adoptOpenSequence(const SequenceRecord& sequence);
  void adoptEvent(const SteeringEvent& event);
  /// Blocks in order, into an empty run, after the open sequence is known.
  void appendCopied(const CopiedBlock& block);
  [[nodiscard]] bool hasOpenSequence() const;

  // The writer's thread.
  /// Everything that changed since the last call; nullopt if nothing did.
  std::optional<WriteBatch> take();
  void committed(const WriteBatch& batch);
  /// Recording stops: the queue is dropped and the recorder's calls return the error.
  void abandon(const Error& error);

  // Any thread.
  [[nodiscard]] RunId id() const { return m_id; }
  [[nodiscard]] RunRecord record() const;
  [[nodiscard]] std::int64_t tokens() const;
  [[nodiscard]] std::optional<std::string> tokenBytes(std::int32_t id) const;
  void setTexts(const std::string* name, const std::string* notes);  ///< null = as it is
  [[nodiscard]] std::vector<SequenceRecord> sequences() const;
  [[nodiscard]] std::vector<SteeringEvent> events() const;
  [[nodiscard]] std::vector<RuleEffect> effects() const;
  [[nodiscard]] Snapshot<TokenBlock> tokenBlock(std::int64_t block) const;
  [[nodiscard]] Snapshot<RouteBlock> routeBlock(int router, std::int64_t block) const;
  [[nodiscard]] Snapshot<LogitBlock> logitBlock(int router, std::int64_t block) const;
  [[nodiscard]] Snapshot<BlockSummary> summary(int router, int level, std::int64_t block) const;
  [[nodiscard]] std::shared_ptr<const SequenceStats> stats(int router, std::int32_t sequence) const;
  [[nodiscard]] std::optional<Error> error() const;
  [[nodiscard]] std::int64_t queuedBytes() const;
  [[nodiscard]] double oldestAgeSeconds() const;

 private:
  using RouterBlock = std::pair<int, std::int64_t>;

  void waitForRoom();
  void queued(std::int64_t bytes);
  [[nodiscard]] double ageSecondsLocked() const;
  [[nodiscard]] Result<void> ready() const;
  [[nodiscard]] Result<void> validate(const RoutingBatch& batch) const;
  std::int32_t openSequence(SequenceRecord sequence);
  void addGap(std::int64_t rows);
  void addRows(const RoutingBatch& batch, int first, int count);
  void finishRouteBlock();
  /// With both mutexes held.
  void adoptEffects();
  void writeEntropies(std::span<const float> entropies);
  TokenBlock& ownTokenBlock(std::int64_t block);
  void appendToken(const TokenRow& row);
  void takeTails(WriteBatch& batch);
  [[nodiscard]] std::int64_t rowBytes() const;
  [[nodiscard]] Error misuse(std::string message) const;

  const RunId m_id;
  const std::vector<RouterSpec> m_routers;
  const CaptureLevel m_capture;
  const std::int64_t m_queueLimitBytes;
  const std::function<void(bool)> m_wake;

  // Locked in this order: append (a whole recorder call, or take), view (one block), queue.
  mutable std::mutex m_appendMutex;
  mutable std::mutex m_viewMutex;
  mutable std::mutex m_queueMutex;

  // Under append and, for writing, view.
  RunRecord m_record;
  std::int64_t m_routedEnd = 0;  // rows decided or passed over; the next decision's row
  std::vector<RouteBuilder> m_builders;
  std::map<std::int64_t, std::shared_ptr<TokenBlock>> m_openTokens;
  std::vector<SequenceRecord> m_sequences;
  std::vector<SteeringEvent> m_events;
  std::vector<RuleEffect> m_effects;
  std::unordered_map<std::int32_t, std::string> m_vocabulary;  // of tokens seen since the recorder began
  std::map<std::int64_t, std::shared_ptr<const TokenBlock>> m_unsavedTokens;
  std::map<RouterBlock, std::shared_ptr<const RouteBlock>> m_unsavedRoutes;
  std::map<RouterBlock, std::shared_ptr<const LogitBlock>> m_unsavedLogits;
  std::map<std::tuple<int, int, std::int64_t>, std::shared_ptr<const BlockSummary>> m_unsavedSummaries;
  std::map<std::pair<int, std::int32_t>, std::shared_ptr<const SequenceStats>> m_unsavedStats;

  // Under append only.
  std::vector<PyramidBuilder> m_pyramids;
  std::vector<SequenceStats> m_stats;  // of the open sequence, one a router
  std::optional<std::size_t> m_openSequence;
  std::optional<std::vector<RuleEffect>> m_nextEffects;  // wait for the next rows
  std::unordered_set<std::int64_t> m_dirtyTokens;
  std::size_t m_savedSequences = 0;  // those before are final in the file
  bool m_dirtyRoutes = false;
  bool m_dirty = false;
  bool m_finished = false;
  WriteBatch m_pending;

  // Under queue.
  std::condition_variable m_room;
  std::int64_t m_pendingBytes = 0, m_takenBytes = 0;
  std::optional<Clock::time_point> m_pendingSince, m_takenSince;
  std::optional<Error> m_error;
};

}  // namespace moescope::trace
