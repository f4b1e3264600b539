#include "app/window/run_window.h"

#include <QFile>
#include <QSurfaceFormat>
#include <QTimer>

#include "app/plugins.h"
#include "app/window/guarded_application.h"
#include "app/window/main_window.h"
#include "views/api/theme.h"

namespace moescope::app {

int runWindow(int argc, char** argv, const WindowOptions& options) {
  // Canvases want this context; it must be said before the application is made.
  QSurfaceFormat format;
  format.setVersion(3, 3);
  format.setProfile(QSurfaceFormat::CoreProfile);
  format.setDepthBufferSize(0);
  format.setStencilBufferSize(0);
  QSurfaceFormat::setDefaultFormat(format);

  GuardedApplication application(argc, argv);
  QApplication::setApplicationName(QStringLiteral("MoEScope"));
  QApplication::setOrganizationName(QStringLiteral("MoEScope"));
  QApplication::setApplicationVersion(QStringLiteral(MOESCOPE_VERSION));
  views::installTheme(application, QString::fromStdString(resourceFolder().string()));

  Workspace workspace;
  MainWindow window(workspace, plugins(options.plugins));
  window.restoreLayout();
  window.show();
  // The window is on the screen before anything is read.
  QTimer::singleShot(0, &window, [&] {
    if (options.demo) {
      workspace.openDemo();
    } else if (options.paths.empty()) {
      workspace.restoreSession();
    }
    for (const auto& path : options.paths) workspace.open(QFile::decodeName(path.c_str()));
  });
  return QApplication::exec();
}

}  // namespace moescope::app
