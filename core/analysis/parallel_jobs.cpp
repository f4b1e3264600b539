#include "core/analysis/parallel_jobs.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace moescope::analysis {

bool parallelJobs(std::size_t jobs, int threads, const std::stop_token& stop,
                  const std::function<void(std::size_t)>& job,
                  const std::function<void(std::size_t)>& report) {
  constexpr auto kReportEvery = std::chrono::milliseconds(100);
  std::atomic<std::size_t> next = 0, done = 0;
  std::mutex mutex;
  std::condition_variable ended;
  int running = static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(std::max(1, threads)), jobs));
  std::exception_ptr failure;

  const auto work = [&] {
    try {
      for (std::size_t index = next++; index < jobs && !stop.stop_requested(); index = next++) {
        job(index);
        ++done;
      }
    } catch (...) {
      next = jobs;
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
    const std::lock_guard lock(mutex);
    --running;
    ended.notify_one();
  };
  {
    std::vector<std::jthread> workers;
    const int count = running;
    workers.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) workers.emplace_back(work);
    std::unique_lock lock(mutex);
    while (!ended.wait_for(lock, kReportEvery, [&] { return running == 0; })) {
      if (!report) continue;
      lock.unlock();
      report(done);
      lock.lock();
    }
  }
  if (failure) std::rethrow_exception(failure);
  if (report) report(done);
  return done == jobs && !stop.stop_requested();
}

}  // namespace moescope::analysis
