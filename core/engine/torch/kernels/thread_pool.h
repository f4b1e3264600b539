// ThreadPool: runs the tasks of one operation on a few threads that spin briefly and then sleep.
// Not OpenMP: nobody waits for a thread that has not started, so a busy desktop does not stall a token.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace moescope::engine {

class ThreadPool {
 public:
  /// `threads` counts the caller, so 1 starts none.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] int threads() const { return static_cast<int>(m_workers.size()) + 1; }

  /// Calls `task(i)` for i in [0, tasks) on the pool and the caller, and returns when all are done. Any
  /// thread may call; while one caller has the pool, others run their tasks themselves. `task` must not
  /// throw.
  template <class Task>
  void run(std::int64_t tasks, const Task& task) {
    run(
        tasks, [](const void* context, std::int64_t index) { (*static_cast<const Task*>(context))(index); },
        &task);
  }

 private:
  using Function = void (*)(const void* context, std::int64_t index);

  void run(std::int64_t tasks, Function function, const void* context);
  void work(const std::stop_token& stop);
  bool takeOne();

  /// Generation, number of tasks and next task in one word: a claim succeeds only for the operation that
  /// is running, so a thread that wakes late finds nothing and nobody waits for it.
  std::atomic<std::uint64_t> m_claims{0};
  std::atomic<std::uint32_t> m_generation{0};  ///< what sleeping threads wait on
  std::atomic<std::int64_t> m_done{0};
  std::atomic<Function> m_function{nullptr};
  std::atomic<const void*> m_context{nullptr};
  std::mutex m_caller;
  std::vector<std::jthread> m_workers;
};

}  // namespace moescope::engine
