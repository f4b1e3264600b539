// ZoomMotion: a zoom in small steps over 120 ms, so that the eye can follow. Not for what a step does.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>

#include <functional>

#include "views/api/canvas_painter.h"

namespace moescope::views {

struct ZoomStep {
  double factor = 1.0;
  Point about;
  bool columnsToo = false;
  bool atPointer = false;  ///< by the wheel: the cell under the pointer changes
};

/// GUI thread only. The factors of all steps multiply to the one that was asked for; at rest nothing runs.
class ZoomMotion : public QObject {
  Q_OBJECT

 public:
  static constexpr int kDurationMs = 120;

  explicit ZoomMotion(std::function<void(const ZoomStep&)> apply, QObject* parent = nullptr);

  /// False, as at first, and with reduced motion, zooms go in one step.
  void setSmooth(bool smooth) { m_smooth = smooth; }
  /// Takes what is left of the zoom before with it.
  void start(const ZoomStep& zoom);
  /// Does what is left at once; call before the view is changed in another way.
  void settle() {
    if (running()) finish();
  }
  [[nodiscard]] bool running() const { return m_timer.isActive(); }

 private:
  void finish();
  void tick();

  std::function<void(const ZoomStep&)> m_apply;
  bool m_smooth = false;
  ZoomStep m_zoom;      // with the whole factor
  double m_done = 0.0;  // share of its logarithm
  QElapsedTimer m_since;
  QTimer m_timer;
};

}  // namespace moescope::views
