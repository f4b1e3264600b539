// StoreWriter: the one thread that writes a trace. It takes consistent batches from live runs and runs
// small changes for other threads. Not for reading.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/trace/batch_writer.h"
#include "core/trace/live_run.h"
#include "core/trace/sqlite_handle.h"

namespace moescope::trace {

class StoreWriter {
 public:
  /// Told on the writer's thread.
  struct Listener {
    std::function<void(LiveRun&, const WriteBatch&)> committed;
    std::function<void(LiveRun&, const Error&)> failed;
  };

  /// Takes over an open, writable database in WAL mode.
  static Result<std::unique_ptr<StoreWriter>> start(Database database, std::chrono::milliseconds interval,
                                                    Listener listener);
  ~StoreWriter();

  // Any thread.
  void wake(bool urgent);
  void addRun(std::shared_ptr<LiveRun> run, std::vector<RouterSpec> routers);
  void removeRun(const LiveRun& run);
  /// Runs `work` inside a transaction on the writer's thread, after what is queued; waits for it.
  Result<void> call(std::function<Result<void>(Database&)> work);
  /// Waits until everything appended before is committed.
  Result<void> flush();

  /// Writes what is queued, ends the thread and gives the database back. Once.
  Database stop();

 private:
  struct Call {
    std::function<Result<void>(Database&)> work;  // null: only a flush
    std::optional<Result<void>> outcome;
  };
  struct Entry {
    std::shared_ptr<LiveRun> run;
    std::vector<RouterSpec> routers;
  };

  StoreWriter(Database database, std::chrono::milliseconds interval, Listener listener);
  void loop();
  void writeRuns();
  void write(const Entry& entry);
  Result<void> wait(std::shared_ptr<Call> call);

  Database m_database;
  const std::chrono::milliseconds m_interval;
  const Listener m_listener;
  BatchWriter m_statements;

  std::mutex m_mutex;
  std::condition_variable m_changed;   // for the thread
  std::condition_variable m_finished;  // for callers
  std::vector<Entry> m_runs;
  std::vector<std::shared_ptr<Call>> m_calls;
  std::optional<std::chrono::steady_clock::time_point> m_due;
  bool m_stopping = false;
  bool m_stopped = false;
  std::thread m_thread;
};

}  // namespace moescope::trace
