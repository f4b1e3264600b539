// postToGui: the one seam through which other threads reach the GUI. Not for calls that want an answer.
#pragma once

#include <QMetaObject>
#include <QObject>

#include <utility>

namespace moescope::views {

/// Runs `action` on the GUI thread, later, unless `context` is gone by then. Any thread; the caller makes
/// sure that `context` lives during the call.
template <class Action>
void postToGui(QObject* context, Action action) {
  QMetaObject::invokeMethod(context, std::move(action), Qt::QueuedConnection);
}

}  // namespace moescope::views
