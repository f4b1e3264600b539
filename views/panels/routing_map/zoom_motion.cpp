#include "views/panels/routing_map/zoom_motion.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "views/api/motion.h"

namespace moescope::views {

namespace {

constexpr int kFrameMs = 16;

}  // namespace

ZoomMotion::ZoomMotion(std::function<void(const ZoomStep&)> apply, QObject* parent)
    : QObject(parent), m_apply(std::move(apply)) {
  m_timer.setInterval(kFrameMs);
  m_timer.setTimerType(Qt::PreciseTimer);
  connect(&m_timer, &QTimer::timeout, this, &ZoomMotion::tick);
}

void ZoomMotion::start(const ZoomStep& zoom) {
  const double left = running() ? std::pow(m_zoom.factor, 1.0 - m_done) : 1.0;
  m_zoom = zoom;
  m_zoom.factor *= left;
  m_done = 0.0;
  if (!m_smooth || reducedMotion()) {
    finish();
    return;
  }
  m_since.start();
  m_timer.start();
}

void ZoomMotion::finish() {
  m_timer.stop();
  ZoomStep rest = m_zoom;
  rest.factor = std::pow(m_zoom.factor, 1.0 - std::exchange(m_done, 1.0));
  m_apply(rest);
}

void ZoomMotion::tick() {
  const double share = static_cast<double>(m_since.elapsed()) / kDurationMs;
  if (share >= 1.0) {
    finish();
    return;
  }
  ZoomStep step = m_zoom;
  step.factor = std::pow(m_zoom.factor, share - std::exchange(m_done, share));
  m_apply(step);
}

}  // namespace moescope::views
