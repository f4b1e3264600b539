// WindowStatusBar: device, activity, speed, steering, recorder and queue, each a button to its panel.
// Not for errors that need an action.
#pragma once

#include <QSet>
#include <QStatusBar>
#include <QTimer>

#include "views/api/progress_pace.h"

class QLabel;
class QToolButton;
class QTimer;

namespace moescope::engine {
struct LiveStatus;
}

namespace moescope::trace {
class TraceStore;
}

namespace moescope::views {
class ViewContext;
}

namespace moescope::app {

/// Bytes of memory that the system could give to a program now.
std::int64_t availableMemoryBytes();

/// How long a message stays that needs no action.
inline constexpr int kMessageMs = 10000;

/// When the writer's queue is looked at again: it writes every StoreOptions::commitIntervalMs.
inline constexpr int kDrainMs = 250;

class WindowStatusBar : public QStatusBar {
  Q_OBJECT

 public:
  explicit WindowStatusBar(views::ViewContext& context, QWidget* parent = nullptr);

 Q_SIGNALS:
  void panelRequested(const QString& name);

 private:
  QToolButton* addPart(const QString& panel, const QString& tip, bool right);
  void resizeEvent(QResizeEvent* event) override;
  void refresh();
  /// Shows what there is to say, as far as the width allows; the least important parts go first.
  void fitParts();
  void showWriter(const trace::TraceStore& store, bool recording);
  [[nodiscard]] QString remainingText(const engine::LiveStatus& status);

  views::ViewContext& m_context;
  views::ProgressPace m_pace;
  QTimer m_draining;            ///< runs while something waits to be written: that it is written is no event
  QSet<QToolButton*> m_silent;  ///< parts with nothing to say now
  QToolButton* m_device;
  QToolButton* m_activity;
  QToolButton* m_rate;
  QToolButton* m_prefill;
  QToolButton* m_steering;
  QToolButton* m_recorder;
  QToolButton* m_queue;
};

}  // namespace moescope::app
