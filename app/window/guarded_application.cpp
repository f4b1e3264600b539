#include "app/window/guarded_application.h"

#include <QPointer>

#include <exception>

#include "app/window/plugin_dock.h"

namespace moescope::app {

namespace {

PluginDock* dockOf(QObject* object) {
  for (; object != nullptr; object = object->parent()) {
    if (auto* dock = qobject_cast<PluginDock*>(object)) return dock;
  }
  return nullptr;
}

}  // namespace

bool GuardedApplication::notify(QObject* receiver, QEvent* event) {
  // Asked before: the event may delete the receiver.
  const QPointer<PluginDock> dock = dockOf(receiver);
  if (dock.isNull()) return QApplication::notify(receiver, event);
  try {
    return QApplication::notify(receiver, event);
  } catch (const std::exception& error) {
    if (dock.isNull()) throw;
    dock->stop(QString::fromUtf8(error.what()));
  }
  return true;
}

}  // namespace moescope::app
