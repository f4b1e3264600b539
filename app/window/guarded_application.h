// GuardedApplication: a QApplication in which an exception from a plug-in's panel ends that panel, not the
// program. Not for exceptions of the program itself, which are bugs and go on.
#pragma once

#include <QApplication>

namespace moescope::app {

class GuardedApplication : public QApplication {
 public:
  using QApplication::QApplication;
  bool notify(QObject* receiver, QEvent* event) override;
};

}  // namespace moescope::app
