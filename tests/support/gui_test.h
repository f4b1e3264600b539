// main() of tests with widgets: an application with the window's theme and settings of its own.
// Not for tests that need no display at all (QTEST_APPLESS_MAIN).
#pragma once

#include <QApplication>
#include <QSettings>
#include <QStandardPaths>
#include <QSurfaceFormat>
#include <QTemporaryDir>
#include <QtTest>

#include "views/api/theme.h"

namespace moescope::views {

/// Runs the tests of T; nothing that they save outlives them.
template <class T>
int runGuiTest(int argc, char** argv) {
  QSurfaceFormat format;
  format.setVersion(3, 3);
  format.setProfile(QSurfaceFormat::CoreProfile);
  format.setDepthBufferSize(0);
  format.setStencilBufferSize(0);
  QSurfaceFormat::setDefaultFormat(format);
  const QTemporaryDir settings;
  QSettings::setDefaultFormat(QSettings::IniFormat);
  QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, settings.path());
  QStandardPaths::setTestModeEnabled(true);
  QApplication application(argc, argv);
  QApplication::setApplicationName(QStringLiteral("MoEScope"));
  QApplication::setOrganizationName(QStringLiteral("MoEScope"));
  installTheme(application, QStringLiteral(MOESCOPE_RESOURCES));
  chooseTheme(ThemeChoice::Dark);
  T test;
  return QTest::qExec(&test, argc, argv);
}

}  // namespace moescope::views

#define MOESCOPE_GUI_TEST_MAIN(TestClass) \
  int main(int argc, char** argv) { return moescope::views::runGuiTest<TestClass>(argc, argv); }
