#include "app/window/manual_window.h"

#include <QScrollBar>
#include <QTextBlock>
#include <QTextBrowser>
#include <QVBoxLayout>

#include "core/base/mapped_file.h"

namespace moescope::app {

namespace {
constexpr std::size_t kManualBytesLimit = 4u << 20;
}

ManualWindow::ManualWindow(const std::filesystem::path& file, QWidget* parent)
    : QDialog(parent), m_text(new QTextBrowser) {
  setWindowTitle(tr("Manual"));
  m_text->setOpenExternalLinks(true);
  m_text->setFrameShape(QFrame::NoFrame);
  m_text->setSearchPaths({QString::fromStdString(file.parent_path().string())});  // of its pictures
  const auto text = readTextFile(file, kManualBytesLimit);
  if (text) {
    m_text->setMarkdown(QString::fromStdString(*text));
  } else {
    m_text->setPlainText(QString::fromStdString(text.error().text()));
  }
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->addWidget(m_text);
  resize(760, 800);
}

void ManualWindow::showSection(const QString& title) {
  show();
  raise();
  activateWindow();
  for (QTextBlock block = m_text->document()->begin(); block.isValid(); block = block.next()) {
    if (block.blockFormat().headingLevel() == 0 || block.text() != title) continue;
    QTextCursor cursor(block);
    m_text->moveCursor(QTextCursor::End);  // so that the heading comes to stand at the top
    m_text->setTextCursor(cursor);
    return;
  }
  m_text->moveCursor(QTextCursor::Start);
}

}  // namespace moescope::app
