// TraceStore: one .moescope file, open. The one read path of live and recorded runs, and the place
// where recording starts. Not for SQL from people (trace_sql.h).
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/base/rule_effect.h"
#include "core/trace/routing_types.h"

namespace moescope::trace {

class RunRecorder;

/// Something changed; numbered without gaps, so that a reader that misses one knows to resync.
struct StoreEvent {
  enum class Kind : std::uint8_t {
    RunAdded,
    RunChanged,
    RunDeleted,
    TokensAppended,
    SteeringChanged,
    SeriesChanged,  ///< one was added, renamed or deleted, or got a run; `run` is that run or 0
    RecordingFailed
  };
  std::uint64_t number = 0;
  Kind kind = Kind::RunChanged;
  RunId run = 0;
  TokenRange tokens;           ///< TokensAppended: rows that are new or got their routing
  std::optional<Error> error;  ///< RecordingFailed: e.g. machine.disk_full; the model goes on
};

/// Runs of the same texts through checkpoints of one model.
struct SeriesRecord {
  std::int64_t id = 0;
  std::string name;
  std::string settingsJson;  ///< corpus and checkpoints; what recorded it knows its form
  std::int64_t createdMs = 0;
  std::vector<RunId> runs;  ///< in order of training; those deleted are not in it
};

struct WriterState {
  std::int64_t queuedBytes = 0;
  std::int64_t queueLimitBytes = 0;
  double oldestAgeSeconds = 0.0;
  std::int64_t fileBytes = 0;  ///< with side files
};

struct StoreOptions {
  std::int64_t queueLimitBytes = 64 << 20;
  int commitIntervalMs = 200;
  std::int64_t maxPages = 0;  ///< > 0: PRAGMA max_page_count, how tests fill a disk
};

enum class OpenMode : std::uint8_t { ReadOnly, ReadWrite };

/// All methods may be called from any thread unless they say otherwise.
class TraceStore : public std::enable_shared_from_this<TraceStore> {
 public:
  /// Errors: `trace.exists`, `trace.unwritable`, `machine.disk_full`.
  static Result<std::shared_ptr<TraceStore>> create(const std::filesystem::path& path,
                                                    const StoreOptions& options = {});
  /// Errors: `trace.not_ours`, `trace.newer`, `trace.damaged`, `trace.locked`, `trace.unwritable`,
  /// `file.not_found`. A run that was open when its program was killed is repaired when opened for
  /// writing (counts set right, status aborted); read-only it is shown as it is.
  static Result<std::shared_ptr<TraceStore>> open(const std::filesystem::path& path, OpenMode mode,
                                                  const StoreOptions& options = {});
  virtual ~TraceStore() = default;

  [[nodiscard]] virtual const std::filesystem::path& path() const = 0;
  [[nodiscard]] virtual bool writable() const = 0;
  [[nodiscard]] virtual std::string contentId() const = 0;
  /// One warning a damaged block, with run, router and block.
  [[nodiscard]] virtual std::vector<std::string> warnings() const = 0;

  // Reading. Live rows and recorded rows come the same way.
  [[nodiscard]] virtual std::vector<RunRecord> runs() const = 0;
  [[nodiscard]] virtual std::optional<RunRecord> run(RunId run) const = 0;
  [[nodiscard]] virtual std::optional<ModelRecord> model(std::int64_t model) const = 0;
  [[nodiscard]] virtual std::vector<RouterSpec> routers(RunId run) const = 0;
  [[nodiscard]] virtual std::vector<SequenceRecord> sequences(RunId run) const = 0;
  [[nodiscard]] virtual std::vector<SteeringEvent> steeringEvents(RunId run) const = 0;
  /// In order of creation. A file of schema 1 has none.
  [[nodiscard]] virtual std::vector<SeriesRecord> allSeries() const = 0;
  /// What each rule of the program in force did, by rule id. Of a corpus run: over its complete sequences.
  /// None in a file of schema 1 that is open for reading only.
  [[nodiscard]] virtual std::vector<RuleEffect> ruleEffects(RunId run) const = 0;
  /// Bytes of a token id, from the vocabulary table.
  [[nodiscard]] virtual std::string tokenBytes(RunId run, std::int32_t id) const = 0;

  /// Null if there is no such block. Snapshots: never change after they are returned.
  [[nodiscard]] virtual std::shared_ptr<const TokenBlock> tokenBlock(RunId run, std::int64_t block) const = 0;
  [[nodiscard]] virtual std::shared_ptr<const RouteBlock> routeBlock(RunId run, int router,
                                                                     std::int64_t block) const = 0;
  [[nodiscard]] virtual std::shared_ptr<const LogitBlock> logitBlock(RunId run, int router,
                                                                     std::int64_t block) const = 0;
  /// Load over [begin, end), from the coarsest summaries that fit and from blocks at the edges.
  /// Stops early with what it has when `stop` is requested.
  [[nodiscard]] virtual LoadSummary load(RunId run, int router, TokenRange tokens,
                                         std::stop_token stop = {}) const = 0;
  [[nodiscard]] virtual std::optional<SequenceStats> sequenceStats(RunId run, int router,
                                                                   std::int32_t sequence) const = 0;

  /// What keepResult kept under the same three keys. Damaged results are missing, with one warning.
  [[nodiscard]] virtual std::optional<std::string> cachedResult(const std::string& analysis,
                                                                const std::string& parametersJson,
                                                                const std::string& inputsJson) const = 0;

  /// Called on the thread that made the change (engine or writer), one event at a time. A receiver only takes
  /// note: it must not call what waits for the writer (flush, the changing methods, close). After
  /// unsubscribe() has returned it is not called again. Returns an id for unsubscribe.
  virtual int subscribe(std::function<void(const StoreEvent&)> receiver) = 0;
  virtual void unsubscribe(int id) = 0;

  // Changing.
  virtual Result<void> renameRun(RunId run, const std::string& name) = 0;
  virtual Result<void> setNotes(RunId run, const std::string& notes) = 0;
  /// A series that loses its last run goes with it.
  virtual Result<void> deleteRun(RunId run) = 0;
  /// Returns the id of a series without runs.
  virtual Result<std::int64_t> startSeries(const std::string& name, const std::string& settingsJson) = 0;
  /// Puts a run of this file behind the series' others. Errors: `trace.no_such_series`, `trace.no_such_run`,
  /// `trace.in_series` (it belongs to one already).
  virtual Result<void> addToSeries(std::int64_t series, RunId run) = 0;
  /// Errors: `trace.no_such_series`.
  virtual Result<void> renameSeries(std::int64_t series, const std::string& name) = 0;
  /// The runs stay. Errors: `trace.no_such_series`.
  virtual Result<void> deleteSeries(std::int64_t series) = 0;
  /// Keeps a result (UTF-8 or bytes) in place of an older one under the same keys; the newest kMostResults
  /// stay. `inputsJson` is analysisInputs() of its runs. Does nothing in a file open for reading only.
  virtual Result<void> keepResult(const std::string& analysis, const std::string& parametersJson,
                                  const std::string& inputsJson, std::string_view result) = 0;
  /// Writes everything queued and copies the file (SQLite backup).
  virtual Result<void> saveCopy(const std::filesystem::path& target) = 0;
  [[nodiscard]] virtual WriterState writerState() const = 0;
  /// Waits until everything appended so far is committed. Errors: what the writer met.
  virtual Result<void> flush() = 0;

  /// Starts a run. `model.id` is looked up by fingerprint or added. The recorder is used by one thread.
  virtual Result<std::unique_ptr<RunRecorder>> startRun(const ModelRecord& model, const RunRecord& run) = 0;
  /// Continues a corpus run after its last complete sequence; rows after it are removed.
  virtual Result<std::unique_ptr<RunRecorder>> resumeRun(RunId run) = 0;

  /// Waits for the writer, then closes cleanly: one file without side files. Errors: what the writer met.
  virtual Result<void> close() = 0;
};

/// Writes one run. Single-threaded; never blocks on the disk unless the queue is full or 1 s old.
/// After a write error calls do nothing and return the error, so that the model can go on.
class RunRecorder {
 public:
  virtual ~RunRecorder() = default;  ///< ends the run as aborted if end() was not called

  [[nodiscard]] virtual RunId run() const = 0;
  [[nodiscard]] virtual std::int64_t tokens() const = 0;  ///< rows appended so far

  struct SequenceStart {
    std::int64_t promptLength = 0;
    std::string textHash;
    std::vector<std::pair<std::string, std::string>> labels;
  };
  /// Returns the ordinal.
  virtual std::int32_t beginSequence(const SequenceStart& start) = 0;
  /// Adds rows; returns the row of the first. `bytes[i]` is what rows[i].id stands for.
  virtual Result<std::int64_t> appendTokens(std::span<const TokenRow> rows,
                                            std::span<const std::string> bytes) = 0;
  /// Routing of rows that were appended before, each row at most once, in order.
  virtual Result<void> appendRouting(const RoutingBatch& batch) = 0;
  /// Commits sequence, stats and tail blocks in one transaction.
  virtual Result<void> endSequence(bool complete) = 0;
  virtual Result<void> steeringChanged(const std::string& programJson, bool counterfactual) = 0;
  /// What the rules have done in the run, in place of what was known before. It becomes visible and goes into
  /// the file together with what the next call adds: call it between a step's tokens and its routing.
  virtual void setRuleEffects(std::span<const RuleEffect> effects) = 0;
  /// Copies rows [0, endToken) of another run of this file with their routing (a counterfactual
  /// replay keeps what stands before the dirty position). Only into an empty run of the same model and
  /// capture level. If a sequence was begun the rows must be of one sequence and belong to it;
  /// otherwise the source's sequences are copied and the one that endToken cuts or ends stays open.
  virtual Result<void> copyRows(RunId source, std::int64_t endToken) = 0;
  virtual Result<void> end(RunStatus status) = 0;
};

/// Results kept in a file at most, and the bytes of one.
inline constexpr int kMostResults = 200;
inline constexpr std::int64_t kMostResultBytes = 16 << 20;
/// Runs that belong to a series: what shows one run by default shows none of these while there are others.
std::set<RunId> runsOfSeries(const TraceStore& store);
/// JSON that changes whenever the rows of one of the runs do: what a cached result was computed from.
std::string analysisInputs(const TraceStore& store, std::span<const RunId> runs);

struct CheckIssue {
  std::string place;  ///< "run 2, layer 3, block 17"
  std::string message;
  bool repaired = false;
};
/// Schema, lengths, checksums, rows = tokens x routers, and top-k recomputed from stored logits.
/// With `repair` counts are set right; nothing is deleted.
Result<std::vector<CheckIssue>> checkTrace(const std::filesystem::path& path, bool repair,
                                           const ProgressCallback& progress, std::stop_token stop);

}  // namespace moescope::trace
