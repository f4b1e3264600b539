#include "core/trace/store_writer.h"

#include <algorithm>
#include <new>
#include <utility>

#include <fmt/format.h>

namespace moescope::trace {

using Clock = std::chrono::steady_clock;

Result<std::unique_ptr<StoreWriter>> StoreWriter::start(Database database, std::chrono::milliseconds interval,
                                                        Listener listener) {
  std::unique_ptr<StoreWriter> writer(new StoreWriter(std::move(database), interval, std::move(listener)));
  auto statements = BatchWriter::prepare(writer->m_database);
  if (!statements) return fail(statements.error());
  writer->m_statements = std::move(*statements);
  writer->m_thread = std::thread([raw = writer.get()] { raw->loop(); });
  return writer;
}

StoreWriter::StoreWriter(Database database, std::chrono::milliseconds interval, Listener listener)
    : m_database(std::move(database)), m_interval(interval), m_listener(std::move(listener)) {}

StoreWriter::~StoreWriter() { (void)stop(); }

void StoreWriter::wake(bool urgent) {
  {
    const std::lock_guard lock(m_mutex);
    const auto due = Clock::now() + (urgent ? std::chrono::milliseconds(0) : m_interval);
    if (!m_due || due < *m_due) m_due = due;
  }
  m_changed.notify_one();
}

void StoreWriter::addRun(std::shared_ptr<LiveRun> run, std::vector<RouterSpec> routers) {
  const std::lock_guard lock(m_mutex);
  m_runs.push_back({std::move(run), std::move(routers)});
}

void StoreWriter::removeRun(const LiveRun& run) {
  const std::lock_guard lock(m_mutex);
  std::erase_if(m_runs, [&](const Entry& entry) { return entry.run.get() == &run; });
}

Result<void> StoreWriter::wait(std::shared_ptr<Call> call) {
  std::unique_lock lock(m_mutex);
  if (m_stopping)
    return fail("trace.unwritable", m_database.file().string(), "", "the trace is being closed",
                "open it again");
  m_calls.push_back(call);
  m_changed.notify_one();
  m_finished.wait(lock, [&] { return call->outcome.has_value(); });
  return *call->outcome;
}

Result<void> StoreWriter::call(std::function<Result<void>(Database&)> work) {
  auto call = std::make_shared<Call>();
  call->work = std::move(work);
  return wait(std::move(call));
}

Result<void> StoreWriter::flush() { return wait(std::make_shared<Call>()); }

void StoreWriter::write(const Entry& entry) {
  const std::optional<WriteBatch> batch = entry.run->take();
  if (!batch) return;
  const auto written = inTransaction(m_database, [&]() -> Result<void> {
    try {
      return m_statements.write(*batch, entry.routers);
    } catch (const std::bad_alloc&) {
      return fail("machine.out_of_memory", m_database.file().string(), "", "not enough memory for the trace");
    }
  });
  if (written) {
    // Blocks move to the cache before the run forgets them, so that no reader finds a hole.
    m_listener.committed(*entry.run, *batch);
    entry.run->committed(*batch);
    return;
  }
  entry.run->abandon(written.error());
  // Changes a row in place, which a full disk may still allow; if not, opening the file repairs it.
  (void)m_database.execute(fmt::format("UPDATE run SET status = 'aborted' WHERE id = {}", batch->run.id));
  m_listener.failed(*entry.run, written.error());
}

void StoreWriter::writeRuns() {
  std::vector<Entry> runs;
  {
    const std::lock_guard lock(m_mutex);
    runs = m_runs;
  }
  for (const Entry& entry : runs) write(entry);
}

void StoreWriter::loop() {
  std::unique_lock lock(m_mutex);
  while (true) {
    const auto ready = [&] { return m_stopping || !m_calls.empty() || (m_due && Clock::now() >= *m_due); };
    while (!ready()) {
      if (m_due) {
        const auto due = *m_due;  // wake() may change it meanwhile
        m_changed.wait_until(lock, due);
      } else {
        m_changed.wait(lock);
      }
    }
    const bool last = m_stopping && m_calls.empty();
    m_due.reset();
    const auto calls = std::exchange(m_calls, {});
    lock.unlock();
    writeRuns();
    std::vector<Result<void>> outcomes;
    outcomes.reserve(calls.size());
    for (const auto& call : calls) {
      outcomes.push_back(call->work ? inTransaction(m_database, [&] { return call->work(m_database); })
                                    : Result<void>{});
    }
    lock.lock();
    for (std::size_t i = 0; i < calls.size(); ++i) calls[i]->outcome = std::move(outcomes[i]);
    m_finished.notify_all();
    if (last) return;
  }
}

Database StoreWriter::stop() {
  {
    const std::lock_guard lock(m_mutex);
    if (std::exchange(m_stopped, true)) return {};
    m_stopping = true;
  }
  m_changed.notify_one();
  if (m_thread.joinable()) m_thread.join();
  m_statements = BatchWriter();
  return std::move(m_database);
}

}  // namespace moescope::trace
