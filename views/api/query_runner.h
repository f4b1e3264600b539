// QueryRunner: one picture's questions to the trace, answered off the GUI thread; the newest wins.
// Not for SQL from people or for the engine.
#pragma once

#include <QObject>

#include <functional>
#include <memory>
#include <stop_token>

namespace moescope::views {

/// GUI thread only, except that work runs on a small pool that all runners share. One question runs at a
/// time; a newer one takes the place of the one that waits. Destruction stops the work and waits for it.
class QueryRunner : public QObject {
  Q_OBJECT

 public:
  /// What is called on the GUI thread with the answer; empty if there is none.
  using Delivery = std::function<void()>;
  using Work = std::function<Delivery(std::stop_token)>;

  enum class Urgency : std::uint8_t {
    Refresh,  ///< the same question on newer data: what runs may finish
    Replace,  ///< another question: what runs is stopped and its answer dropped
  };

  explicit QueryRunner(QObject* parent = nullptr);
  ~QueryRunner() override;

  void request(Work work, Urgency urgency);
  /// Drops what runs and what waits.
  void cancel();
  [[nodiscard]] bool busy() const;

 private:
  struct Job;
  void start(Work work);
  void finish(const std::shared_ptr<Job>& job);

  std::shared_ptr<Job> m_running;
  Work m_waiting;
};

}  // namespace moescope::views
