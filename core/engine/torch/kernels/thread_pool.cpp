#include "core/engine/torch/kernels/thread_pool.h"

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace moescope::engine {

namespace {

// 20 bits each for the number of tasks and the next one, 24 for the generation. A claim would have to be
// delayed by 2^24 operations to be taken for one of another operation.
constexpr int kIndexBits = 20;
constexpr std::uint64_t kIndexMask = (1ULL << kIndexBits) - 1;
constexpr std::int64_t kMaxTasks = (1LL << kIndexBits) - 1;

// About 20 microseconds: longer than the gap between two operations of one token, much shorter than a
// time slice of the scheduler.
constexpr int kSpins = 600;

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  for (int i = 1; i < threads; ++i) {
    m_workers.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
}

ThreadPool::~ThreadPool() {
  for (auto& worker : m_workers) worker.request_stop();
  m_generation.fetch_add(1, std::memory_order_release);
  m_generation.notify_all();
}

bool ThreadPool::takeOne() {
  std::uint64_t claims = m_claims.load(std::memory_order_acquire);
  for (;;) {
    const auto next = static_cast<std::int64_t>(claims & kIndexMask);
    const auto tasks = static_cast<std::int64_t>((claims >> kIndexBits) & kIndexMask);
    if (next >= tasks) return false;
    if (m_claims.compare_exchange_weak(claims, claims + 1, std::memory_order_acq_rel)) {
      // The operation cannot end before this task is counted, so function and context are still its own.
      m_function.load(std::memory_order_relaxed)(m_context.load(std::memory_order_relaxed), next);
      m_done.fetch_add(1, std::memory_order_release);
      return true;
    }
  }
}

void ThreadPool::work(const std::stop_token& stop) {
  std::uint32_t seen = m_generation.load(std::memory_order_acquire);
  while (!stop.stop_requested()) {
    while (takeOne()) {
    }
    int spins = 0;
    while (m_generation.load(std::memory_order_acquire) == seen && spins++ < kSpins) relax();
    m_generation.wait(seen, std::memory_order_acquire);
    seen = m_generation.load(std::memory_order_acquire);
  }
}

void ThreadPool::run(std::int64_t tasks, Function function, const void* context) {
  std::unique_lock lock(m_caller, std::defer_lock);
  if (m_workers.empty() || tasks < 2 || tasks > kMaxTasks || !lock.try_lock()) {
    for (std::int64_t i = 0; i < tasks; ++i) function(context, i);
    return;
  }
  m_function.store(function, std::memory_order_relaxed);
  m_context.store(context, std::memory_order_relaxed);
  m_done.store(0, std::memory_order_relaxed);
  const std::uint32_t generation = m_generation.load(std::memory_order_relaxed) + 1;
  m_claims.store((static_cast<std::uint64_t>(generation) << (2 * kIndexBits)) |
                     (static_cast<std::uint64_t>(tasks) << kIndexBits),
                 std::memory_order_release);
  m_generation.store(generation, std::memory_order_release);
  m_generation.notify_all();
  while (takeOne()) {
  }
  // The rest is being worked on right now: spin for it, then give the processor to whoever has it.
  int spins = 0;
  while (m_done.load(std::memory_order_acquire) < tasks) {
    if (spins++ < kSpins) {
      relax();
    } else {
      std::this_thread::yield();
    }
  }
}

}  // namespace moescope::engine
