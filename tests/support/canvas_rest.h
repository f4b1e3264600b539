// Waiting for canvases: until nothing more is drawn, and seeing that nothing is drawn.
// Not for what is drawn (recording_painter.h).
#pragma once

#include <QtTest>

namespace moescope::views {

/// A frame that was asked for is drawn well within this time.
constexpr int kSettleMs = 80;
/// How long a canvas at rest is watched: longer than a text cursor's blink or any timer of the window.
constexpr int kRestMs = 1000;

/// Waits until `frames()` (a sum of frame counters) is above 0 and stands still.
template <class Frames>
bool waitForRest(Frames frames) {
  return QTest::qWaitFor([&frames] {
    const long before = frames();
    QTest::qWait(kSettleMs);
    return before > 0 && before == frames();
  });
}

/// True if `frames()` does not change for kRestMs.
template <class Frames>
bool staysAtRest(Frames frames) {
  const long before = frames();
  return !QTest::qWaitFor([&] { return frames() != before; }, kRestMs);
}

}  // namespace moescope::views
