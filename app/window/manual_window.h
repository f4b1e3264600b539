// ManualWindow: the user manual, a Markdown file, at the section of a panel. Not an editor or a web view.
#pragma once

#include <QDialog>

#include <filesystem>

class QTextBrowser;

namespace moescope::app {

class ManualWindow : public QDialog {
  Q_OBJECT

 public:
  explicit ManualWindow(const std::filesystem::path& file, QWidget* parent = nullptr);

  /// Shows the window with the heading `title` at the top, or its beginning where there is none.
  void showSection(const QString& title);

 private:
  QTextBrowser* m_text;
};

}  // namespace moescope::app
