#include "plugins/phases/series_loader.h"

#include <chrono>

#include "views/api/post_to_gui.h"

namespace moescope::phases {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPause = std::chrono::milliseconds(50);

}  // namespace

SeriesLoader::SeriesLoader(views::ViewContext& context, QObject* parent)
    : QObject(parent), m_context(context), m_queries(new views::QueryRunner(this)) {}

void SeriesLoader::cancel() {
  ++m_number;
  m_queries->cancel();
  Q_EMIT finished();
}

void SeriesLoader::load(std::vector<plugin::SeriesRequest> requests) {
  const auto store = m_context.store();
  const plugin::PluginHost* host = m_context.plugins();
  if (!store || host == nullptr || requests.empty()) return;
  const int number = ++m_number;
  auto work = [this, store, host, requests = std::move(requests), number](const std::stop_token& stop) {
    // The runner waits for its work when the loader goes, so that the loader is there all the time.
    const auto tell = [this, number](auto action) {
      views::postToGui(this, [this, number, action = std::move(action)] {
        if (number == m_number) action();
      });
    };
    auto all = std::make_shared<Series>();
    std::optional<Error> problem;
    plugin::SeriesCallbacks callbacks;
    callbacks.stop = stop;
    callbacks.progress = [&, last = Clock::time_point{}](const Progress& progress) mutable {
      if (Clock::now() - last < kPause) return;
      last = Clock::now();
      tell([this, progress] {
        Q_EMIT progressed(QString::fromStdString(progress.activity), progress.done, progress.total);
      });
    };
    for (const plugin::SeriesRequest& request : requests) {
      callbacks.partial = [&](const analysis::SeriesMetrics& partial) {
        auto known = std::make_shared<Series>(*all);
        known->push_back(partial);
        tell([this, known] { Q_EMIT changed(known); });
      };
      auto series = plugin::collectSeries(*host, *store, request, callbacks);
      if (series) {
        all->push_back(*std::move(series));
      } else if (!problem) {
        problem = series.error();
      }
    }
    return views::QueryRunner::Delivery([this, all, problem, number] {
      if (number != m_number) return;
      Q_EMIT finished();
      if (!all->empty()) Q_EMIT changed(all);
      if (problem && problem->kind != "cancelled") Q_EMIT failed(*problem, all->empty());
    });
  };
  m_queries->request(std::move(work), views::QueryRunner::Urgency::Replace);
}

}  // namespace moescope::phases
