#include "views/api/progress_pace.h"

#include <QObject>

#include <cmath>

#include "views/api/number_text.h"

namespace moescope::views {

namespace {

constexpr qint64 kSureAfterMs = 1000;

}  // namespace

QString progressText(const Progress& progress) {
  QString activity = QString::fromStdString(progress.activity);
  if (progress.total <= 0) return activity;
  const auto amount = [&](std::int64_t value) {
    return progress.unit == "bytes" ? bytesText(value) : countText(value);
  };
  return QObject::tr("%1, %2 of %3").arg(activity, amount(progress.done), amount(progress.total));
}

ProgressPace::ProgressPace(std::function<qint64()> clock) : m_clock(std::move(clock)) {
  m_timer.start();
  if (!m_clock) m_clock = [this] { return m_timer.elapsed(); };
}

void ProgressPace::reset() { m_activity.clear(); }

QString ProgressPace::remaining(const Progress& progress) {
  const qint64 now = m_clock();
  if (progress.activity != m_activity || progress.done < m_startDone) {
    m_activity = progress.activity;
    m_startDone = progress.done;
    m_startMs = now;
  }
  const qint64 spent = now - m_startMs;
  const std::int64_t done = progress.done - m_startDone;
  if (spent < kSureAfterMs || done <= 0 || progress.total <= progress.done) return {};
  const double seconds = static_cast<double>(spent) / 1000.0 / static_cast<double>(done) *
                         static_cast<double>(progress.total - progress.done);
  return seconds < 60 ? QObject::tr("%1 s left").arg(std::ceil(seconds), 0, 'f', 0)
                      : QObject::tr("%1 min left").arg(seconds / 60, 0, 'f', 0);
}

}  // namespace moescope::views
