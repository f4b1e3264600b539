// ProgressRow: what long work of a panel is doing, how far it is, and Cancel. Not for the status bar.
#pragma once

#include <QWidget>

class QLabel;
class QProgressBar;

namespace moescope::views {

/// Hidden until the first report; as high as a sample line and meant to stand at its end, so that nothing
/// below moves when it comes and goes. GUI thread only.
class ProgressRow : public QWidget {
  Q_OBJECT

 public:
  explicit ProgressRow(QWidget* parent = nullptr);
  /// `total` 0: unknown.
  void report(const QString& activity, qlonglong done, qlonglong total);

 Q_SIGNALS:
  void cancelled();

 private:
  QLabel* m_activity;
  QProgressBar* m_bar;
};

}  // namespace moescope::views
