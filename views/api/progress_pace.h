// ProgressPace: how far long work is and how long it will still take, in words. Not for showing it.
#pragma once

#include <QElapsedTimer>
#include <QString>

#include <functional>

#include "core/base/progress.h"

namespace moescope::views {

/// "Reading weights, 3.1 GiB of 12.9 GiB", "Recording corpus, 312 of 1548".
QString progressText(const Progress& progress);

/// Judges from the work that was done since an activity was first seen. GUI thread only.
class ProgressPace {
 public:
  /// `clock` gives milliseconds; without one the time that passes.
  explicit ProgressPace(std::function<qint64()> clock = {});

  /// "8 s left", "3 min left", or nothing while the pace is not known.
  QString remaining(const Progress& progress);
  /// The next activity is another one, even of the same name.
  void reset();

 private:
  std::function<qint64()> m_clock;
  QElapsedTimer m_timer;
  std::string m_activity;
  std::int64_t m_startDone = 0;
  qint64 m_startMs = 0;
};

}  // namespace moescope::views
