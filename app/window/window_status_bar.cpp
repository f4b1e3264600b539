#include "app/window/window_status_bar.h"

#include <QFile>
#include <QPainter>
#include <QToolButton>

#include <unistd.h>

#include "core/engine/generation/live_session.h"
#include "views/api/number_text.h"
#include "views/api/progress_pace.h"
#include "views/api/theme.h"
#include "views/api/view_context.h"

namespace moescope::app {

namespace {

constexpr int kDot = 8;

QIcon recorderDot() {
  QPixmap pixmap(16, 16);
  pixmap.fill(Qt::transparent);
  QPainter painter(&pixmap);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(Qt::NoPen);
  painter.setBrush(views::Theme::current().colour(views::ColourRole::Recording));
  painter.drawEllipse(QRectF((16 - kDot) / 2.0, (16 - kDot) / 2.0, kDot, kDot));
  return QIcon(pixmap);
}

QString activityText(const engine::LiveStatus& status) {
  switch (status.state) {
    case engine::LiveState::NoModel: return QObject::tr("No model");
    case engine::LiveState::Loading:
      return status.progress ? views::progressText(*status.progress) : QObject::tr("Loading");
    case engine::LiveState::Stopping: return QObject::tr("Stopping");
    case engine::LiveState::Failed: return QObject::tr("Failed");
    case engine::LiveState::Idle: return QObject::tr("Idle");
    case engine::LiveState::Running: break;
  }
  if (status.progress) return views::progressText(*status.progress);
  return QObject::tr("Generating, token %1 of %2").arg(status.generatedTokens).arg(status.maxTokens);
}

}  // namespace

std::int64_t availableMemoryBytes() {
  QFile file(QStringLiteral("/proc/meminfo"));
  if (file.open(QIODevice::ReadOnly)) {
    for (const QByteArray& line : file.readAll().split('\n')) {
      if (line.startsWith("MemAvailable:"))
        return line.mid(13).trimmed().split(' ').first().toLongLong() * 1024;
    }
  }
  return static_cast<std::int64_t>(::sysconf(_SC_AVPHYS_PAGES)) * ::sysconf(_SC_PAGE_SIZE);
}

WindowStatusBar::WindowStatusBar(views::ViewContext& context, QWidget* parent)
    : QStatusBar(parent), m_context(context) {
  setSizeGripEnabled(false);
  m_device = addPart(QStringLiteral("model"), tr("Device, dtype, memory"), false);
  m_device->setIcon(views::themeIcon(QStringLiteral("device")));
  m_activity = addPart(QStringLiteral("prompt"), tr("What the engine does"), false);
  m_rate = addPart(QStringLiteral("prompt"), tr("Decode speed over the last second"), false);
  m_prefill = addPart(QStringLiteral("prompt"), tr("Time of the prompt's forward pass"), false);
  m_steering = addPart(QStringLiteral("steering"), tr("Steering rules in force"), true);
  m_recorder = addPart(QStringLiteral("runs"), tr("Recorder"), true);
  m_queue = addPart(QStringLiteral("runs"), tr("What waits to be written to the trace"), true);
  connect(&context, &views::ViewContext::liveStateChanged, this, &WindowStatusBar::refresh);
  connect(&context, &views::ViewContext::modelChanged, this, &WindowStatusBar::refresh);
  connect(&context, &views::ViewContext::storeReplaced, this, &WindowStatusBar::refresh);
  connect(&context, &views::ViewContext::rowsChanged, this, &WindowStatusBar::refresh);
  connect(&context.steering(), &views::SteeringDocument::programChanged, this, &WindowStatusBar::refresh);
  connect(this, &QStatusBar::messageChanged, this, &WindowStatusBar::fitParts);
  m_draining.setSingleShot(true);
  m_draining.setInterval(kDrainMs);
  connect(&m_draining, &QTimer::timeout, this, &WindowStatusBar::refresh);
  refresh();
}

QToolButton* WindowStatusBar::addPart(const QString& panel, const QString& tip, bool right) {
  auto* part = new QToolButton;
  part->setAutoRaise(true);
  part->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  part->setToolTip(tip);
  part->setFocusPolicy(Qt::TabFocus);
  connect(part, &QToolButton::clicked, this, [this, panel] { Q_EMIT panelRequested(panel); });
  if (right) {
    addPermanentWidget(part);
  } else {
    addWidget(part);
  }
  return part;
}

/// ", 3 min left", or nothing where the rate is not known yet.
QString WindowStatusBar::remainingText(const engine::LiveStatus& status) {
  const bool works = status.state == engine::LiveState::Running || status.state == engine::LiveState::Loading;
  if (!works || !status.progress) {
    m_pace.reset();
    return {};
  }
  const QString left = m_pace.remaining(*status.progress);
  return left.isEmpty() ? left : QStringLiteral(", ") + left;
}

void WindowStatusBar::refresh() {
  const auto status = m_context.session().status();
  if (const auto model = m_context.session().model()) {
    const auto memory = model->memory();
    m_device->setText(QStringLiteral("%1 · %2 · %3")
                          .arg(QString::fromStdString(model->device().id),
                               QString::fromStdString(model->dtypeName()),
                               tr("%1 of %2")
                                   .arg(views::bytesText(memory.weights + memory.cache + memory.other),
                                        views::bytesText(model->device().totalBytes))));
  } else {
    m_device->setText(tr("cpu · %1 free").arg(views::bytesText(availableMemoryBytes())));
  }
  m_activity->setText(activityText(status) + remainingText(status));
  m_rate->setText(tr("%1 tok/s").arg(status.tokensPerSecond, 0, 'f', 1));
  m_prefill->setText(tr("prefill %1 tokens in %2 ms")
                         .arg(status.promptTokens)
                         .arg(qMax(1, qRound(status.prefillSeconds * 1000))));

  const auto& steering = m_context.steering();
  const auto rules = std::count_if(steering.program().rules.begin(), steering.program().rules.end(),
                                   [](const auto& rule) { return rule.enabled; });
  m_steering->setText(steering.masterOn() && rules > 0
                          ? tr("Steering on, %1, %2")
                                .arg(rules == 1 ? tr("1 rule") : tr("%1 rules").arg(rules))
                                .arg(steering.counterfactual() ? tr("counterfactual") : tr("from now on"))
                          : tr("Steering off"));
  const auto store = m_context.store();
  const bool recording = store && status.run && m_context.isLive(*status.run);
  m_recorder->setIcon(recording ? recorderDot() : QIcon());
  m_silent.clear();
  if (status.tokensPerSecond <= 0) m_silent.insert(m_rate);
  if (status.prefillSeconds <= 0) m_silent.insert(m_prefill);
  if (!store || !store->writable()) m_silent.insert(m_queue);
  if (store) {
    showWriter(*store, recording);
  } else {
    m_recorder->setText(tr("Not recording"));
  }
  fitParts();
}

void WindowStatusBar::showWriter(const trace::TraceStore& store, bool recording) {
  const auto writer = store.writerState();
  m_recorder->setText(QStringLiteral("%1 · %2 · %3")
                          .arg(recording ? tr("Recording") : tr("Not recording"),
                               QString::fromStdString(store.path().filename().string()),
                               views::bytesText(writer.fileBytes)));
  m_queue->setText(tr("queue %1 of %2")
                       .arg(views::bytesText(writer.queuedBytes), views::bytesText(writer.queueLimitBytes)));
  if (writer.queuedBytes > 0) m_draining.start();
}

void WindowStatusBar::fitParts() {
  constexpr int kSpacing = 8;
  int room = width() - kSpacing;
  // Everything else says what happens, which counts more than how fast.
  const QList<QToolButton*> byImportance{m_activity, m_recorder, m_steering, m_device,
                                         m_rate,     m_queue,    m_prefill};
  for (auto* part : byImportance) {
    if (m_silent.contains(part)) {
      part->hide();
      continue;
    }
    room -= part->sizeHint().width() + kSpacing;
    const bool isCovered =
        !currentMessage().isEmpty() && part != m_recorder && part != m_steering && part != m_queue;
    if (room < 0) {
      part->hide();
    } else if (!isCovered) {
      part->show();
    }
  }
}

void WindowStatusBar::resizeEvent(QResizeEvent* event) {
  QStatusBar::resizeEvent(event);
  fitParts();
}

}  // namespace moescope::app
