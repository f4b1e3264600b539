// The engine's thread pool: every task once, nested and concurrent callers, and no processor time at rest.
#include <QTest>

#include <sys/resource.h>
#include <time.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "core/engine/torch/kernels/thread_pool.h"

using namespace moescope::engine;

namespace {

double processorSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

class TestThreadPool : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void everyTaskRunsOnce() {
    for (const int threads : {1, 2, 3, 8}) {
      ThreadPool pool(threads);
      QCOMPARE(pool.threads(), threads);
      for (const std::int64_t tasks : {0, 1, 2, 3, 7, 64, 1000}) {
        for (int repetition = 0; repetition < 200; ++repetition) {
          std::vector<std::atomic<int>> counts(static_cast<std::size_t>(tasks));
          pool.run(tasks, [&](std::int64_t task) { ++counts[static_cast<std::size_t>(task)]; });
          for (const auto& count : counts) QCOMPARE(count.load(), 1);
        }
      }
    }
  }

  // More than fit into a claim: the caller does them alone.
  void moreTasksThanFitAClaim() {
    ThreadPool pool(2);
    std::atomic<std::int64_t> sum{0};
    constexpr std::int64_t kTasks = (1 << 20) + 5;
    pool.run(kTasks, [&](std::int64_t task) { sum += task; });
    QCOMPARE(sum.load(), kTasks * (kTasks - 1) / 2);
  }

  // What a task wrote is seen after run(), without other means.
  void resultsAreVisible() {
    ThreadPool pool(4);
    std::vector<int> values(1000, 0);
    for (int round = 1; round <= 500; ++round) {
      pool.run(1000, [&](std::int64_t task) { values[static_cast<std::size_t>(task)] = round; });
      for (const int value : values) QCOMPARE(value, round);
    }
  }

  void threadsShareTheWork() {
    ThreadPool pool(2);
    std::atomic<int> inside{0};
    std::atomic<bool> met{false};
    // Both tasks must be running at once for either to end early.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    pool.run(2, [&](std::int64_t) {
      ++inside;
      while (!met && std::chrono::steady_clock::now() < deadline) {
        if (inside == 2) met = true;
        std::this_thread::yield();
      }
    });
    QVERIFY(met);
  }

  void callersInsideAndBesideEachOther() {
    ThreadPool pool(3);
    std::atomic<int> nested{0};
    pool.run(10, [&](std::int64_t) { pool.run(10, [&](std::int64_t) { ++nested; }); });
    QCOMPARE(nested.load(), 100);
    std::atomic<int> beside{0};
    std::vector<std::jthread> callers;
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&] {
        for (int round = 0; round < 500; ++round) pool.run(8, [&](std::int64_t) { ++beside; });
      });
    }
    callers.clear();
    QCOMPARE(beside.load(), 4 * 500 * 8);
  }

  void poolsComeAndGo() {
    for (int i = 0; i < 200; ++i) {
      ThreadPool pool(3);
      std::atomic<int> count{0};
      if (i % 2 == 0) pool.run(5, [&](std::int64_t) { ++count; });
      QCOMPARE(count.load(), i % 2 == 0 ? 5 : 0);
    }
  }

  // At rest the threads sleep: far below the 200 ms of processor time that one spinning thread would take.
  void idleThreadsUseNoProcessor() {
    ThreadPool pool(4);
    std::atomic<int> count{0};
    pool.run(100, [&](std::int64_t) { ++count; });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the spinning after the last task
    const double before = processorSeconds();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    QVERIFY(processorSeconds() - before < 0.05);
    QCOMPARE(count.load(), 100);
  }
};

QTEST_APPLESS_MAIN(TestThreadPool)
#include "tst_thread_pool.moc"
