// SqliteTraceStore: the TraceStore over one SQLite file. Not a recorder (run_recorder.h).
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>

#include "core/trace/block_cache.h"
#include "core/trace/block_reader.h"
#include "core/trace/live_run.h"
#include "core/trace/reader_pool.h"
#include "core/trace/store_writer.h"
#include "core/trace/trace_file.h"
#include "core/trace/trace_store.h"

namespace moescope::trace {

class SqliteTraceStore final : public TraceStore {
 public:
  /// `opened` is for writing if its lock is held.
  static Result<std::shared_ptr<TraceStore>> over(OpenedTrace opened, std::filesystem::path path,
                                                  bool writable, const StoreOptions& options);
  ~SqliteTraceStore() override;

  [[nodiscard]] const std::filesystem::path& path() const override { return m_path; }
  [[nodiscard]] bool writable() const override { return m_writable; }
  [[nodiscard]] std::string contentId() const override;
  [[nodiscard]] std::vector<std::string> warnings() const override;

  [[nodiscard]] std::vector<RunRecord> runs() const override;
  [[nodiscard]] std::optional<RunRecord> run(RunId run) const override;
  [[nodiscard]] std::optional<ModelRecord> model(std::int64_t model) const override;
  [[nodiscard]] std::vector<RouterSpec> routers(RunId run) const override;
  [[nodiscard]] std::vector<SequenceRecord> sequences(RunId run) const override;
  [[nodiscard]] std::vector<SteeringEvent> steeringEvents(RunId run) const override;
  [[nodiscard]] std::vector<SeriesRecord> allSeries() const override;
  [[nodiscard]] std::vector<RuleEffect> ruleEffects(RunId run) const override;
  [[nodiscard]] std::string tokenBytes(RunId run, std::int32_t id) const override;
  [[nodiscard]] std::shared_ptr<const TokenBlock> tokenBlock(RunId run, std::int64_t block) const override;
  [[nodiscard]] std::shared_ptr<const RouteBlock> routeBlock(RunId run, int router,
                                                             std::int64_t block) const override;
  [[nodiscard]] std::shared_ptr<const LogitBlock> logitBlock(RunId run, int router,
                                                             std::int64_t block) const override;
  [[nodiscard]] LoadSummary load(RunId run, int router, TokenRange tokens,
                                 std::stop_token stop) const override;
  [[nodiscard]] std::optional<SequenceStats> sequenceStats(RunId run, int router,
                                                           std::int32_t sequence) const override;

  [[nodiscard]] std::optional<std::string> cachedResult(const std::string& analysis,
                                                        const std::string& parametersJson,
                                                        const std::string& inputsJson) const override;

  int subscribe(std::function<void(const StoreEvent&)> receiver) override;
  void unsubscribe(int id) override;

  Result<void> renameRun(RunId run, const std::string& name) override;
  Result<void> setNotes(RunId run, const std::string& notes) override;
  Result<void> deleteRun(RunId run) override;
  Result<std::int64_t> startSeries(const std::string& name, const std::string& settingsJson) override;
  Result<void> addToSeries(std::int64_t series, RunId run) override;
  Result<void> renameSeries(std::int64_t series, const std::string& name) override;
  Result<void> deleteSeries(std::int64_t series) override;
  Result<void> keepResult(const std::string& analysis, const std::string& parametersJson,
                          const std::string& inputsJson, std::string_view result) override;
  Result<void> saveCopy(const std::filesystem::path& target) override;
  [[nodiscard]] WriterState writerState() const override;
  Result<void> flush() override;
  Result<std::unique_ptr<RunRecorder>> startRun(const ModelRecord& model, const RunRecord& run) override;
  Result<std::unique_ptr<RunRecorder>> resumeRun(RunId run) override;
  Result<void> close() override;

  // For the recorder.
  [[nodiscard]] std::shared_ptr<const BlockSummary> nodeOf(RunId run, int router, int level,
                                                           std::int64_t block) const;
  void publish(StoreEvent::Kind kind, RunId run, TokenRange tokens = {}, std::optional<Error> error = {});
  /// Waits for the last commit of a finished run and forgets it.
  Result<void> retire(const std::shared_ptr<LiveRun>& live);

 private:
  /// What never changes about a run.
  struct RunShape {
    std::int64_t model = 0;
    CaptureLevel capture = CaptureLevel::None;
    std::shared_ptr<const std::vector<RouterSpec>> routers;
  };

  SqliteTraceStore(OpenedTrace opened, std::filesystem::path path, bool writable,
                   const StoreOptions& options);
  Result<void> startWriter(Database database);
  [[nodiscard]] Error readOnlyError() const;
  [[nodiscard]] std::shared_ptr<LiveRun> live(RunId run) const;
  [[nodiscard]] std::optional<RunShape> shape(RunId run) const;
  [[nodiscard]] const RouterSpec* router(const std::optional<RunShape>& shape, int router) const;
  [[nodiscard]] RunRecord asShown(RunRecord run) const;
  void warnOnce(const std::string& text) const;
  void onCommitted(const WriteBatch& batch);
  void onFailed(LiveRun& run, const Error& error);
  Result<std::unique_ptr<RunRecorder>> record(std::shared_ptr<LiveRun> live, const ModelRecord& model);
  /// Of a range: clipped to the rows the file really has.
  [[nodiscard]] TokenRange clipped(RunId run, TokenRange tokens) const;

  const std::filesystem::path m_path;
  const bool m_writable;
  const StoreOptions m_options;
  OpenedTrace m_opened;
  mutable ReaderPool m_readers;
  std::unique_ptr<StoreWriter> m_writer;  // null when read-only

  mutable BlockCache<TokenBlock> m_tokenCache;
  mutable BlockCache<RouteBlock> m_routeCache;
  mutable BlockCache<LogitBlock> m_logitCache;
  mutable BlockCache<BlockSummary> m_summaryCache;
  mutable BlockCache<SequenceStats> m_statsCache;

  mutable std::mutex m_mutex;  // what follows; never held while calling out
  mutable std::map<RunId, RunShape> m_shapes;
  mutable std::map<std::pair<std::int64_t, std::int32_t>, std::string> m_vocabulary;
  mutable std::map<RunId, std::int64_t> m_limits;  // rows that blocks exist for, of runs not being written
  std::map<RunId, std::shared_ptr<LiveRun>> m_live;
  std::set<RunId> m_failed;
  mutable std::vector<std::string> m_warnings;
  mutable std::set<std::string> m_warned;
  std::optional<Error> m_writeError;
  bool m_closed = false;

  std::recursive_mutex m_eventMutex;  // a receiver may subscribe or unsubscribe
  std::map<int, std::function<void(const StoreEvent&)>> m_receivers;
  std::uint64_t m_eventNumber = 0;
  int m_nextReceiver = 1;
};

}  // namespace moescope::trace
