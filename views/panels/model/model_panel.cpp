#include "views/panels/model/model_panel.h"

#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <algorithm>

#include "core/checkpoint/architecture_text.h"
#include "core/engine/generation/live_session.h"
#include "views/api/number_text.h"
#include "views/api/panel_widgets.h"
#include "views/api/theme.h"
#include "views/api/view_context.h"

namespace moescope::views {

namespace {

constexpr int kPadding = 12;
enum Row { kFamily, kRouters, kParameters, kDevice, kDtype, kMemory, kRowCount };
enum ArchitectureRow { kLayers, kRouter, kExperts, kAttention, kArchitectureRowCount };
enum Page { kEmptyPage, kLoadingPage, kLoadedPage };

// "6 × 32 experts, top-4" if all routers are alike, else the range.
QString routersText(const std::vector<RouterSpec>& routers) {
  if (routers.empty()) return QObject::tr("none: a dense model");
  const auto [low, high] = std::minmax_element(
      routers.begin(), routers.end(), [](const auto& a, const auto& b) { return a.experts < b.experts; });
  const QString experts = low->experts == high->experts
                              ? QString::number(low->experts)
                              : QStringLiteral("%1–%2").arg(low->experts).arg(high->experts);
  return QObject::tr("%1 × %2 experts, top-%3").arg(routers.size()).arg(experts).arg(routers.front().topK);
}

QFormLayout* rowsTitled(const QStringList& titles) {
  auto* rows = new QFormLayout;
  rows->setHorizontalSpacing(16);
  rows->setVerticalSpacing(3);
  for (const QString& title : titles) {
    auto* value = new QLabel;
    value->setWordWrap(true);
    value->setTextInteractionFlags(Qt::TextSelectableByMouse);
    value->setAccessibleName(title);
    rows->addRow(new TextLabel(title, TextLabel::Style::Secondary), value);
  }
  return rows;
}

}  // namespace

ModelPanel::ModelPanel(ViewContext& context, QWidget* parent) : QWidget(parent), m_context(context) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  m_error = new ErrorBar;
  m_pages = new QStackedWidget;
  m_pages->addWidget(new EmptyState(QStringLiteral("model"), tr("No model loaded"),
                                    tr("Open a checkpoint folder, or drop one anywhere in this window.")));
  m_pages->addWidget(makeLoadingPage());
  m_pages->addWidget(makeLoadedPage());
  column->addWidget(m_error);
  column->addWidget(m_pages, 1);
  connect(&context, &ViewContext::modelChanged, this, &ModelPanel::refresh);
  connect(&context, &ViewContext::liveStateChanged, this, &ModelPanel::refresh);
  refresh();
}

QWidget* ModelPanel::makeLoadedPage() {
  auto* page = new QWidget;
  auto* column = new QVBoxLayout(page);
  column->setContentsMargins(kPadding, kPadding, kPadding, kPadding);
  column->setSpacing(8);
  auto* head = new QHBoxLayout;
  m_name = new TextLabel({}, TextLabel::Style::Title);
  m_name->setTextInteractionFlags(Qt::TextSelectableByMouse);
  head->addWidget(new IconLabel(QStringLiteral("model"), 16, IconLabel::Tone::Accent));
  head->addWidget(m_name, 1);
  column->addLayout(head);

  m_rows =
      rowsTitled({tr("Family"), tr("Routers"), tr("Parameters"), tr("Device"), tr("Dtype"), tr("Memory")});
  column->addLayout(m_rows);

  m_memoryBar = new QProgressBar;
  m_memoryBar->setTextVisible(false);
  m_memoryBar->setFixedHeight(4);
  m_memoryBar->setRange(0, 1000);
  m_memoryBar->setAccessibleName(tr("Memory in use"));
  m_memoryParts = new TextLabel({}, TextLabel::Style::Secondary);
  m_memoryParts->setWordWrap(true);
  m_warnings = new TextLabel({}, TextLabel::Style::Warning);
  m_warnings->setWordWrap(true);
  column->addWidget(m_memoryBar);
  column->addWidget(m_memoryParts);
  column->addWidget(m_warnings);

  auto* buttons = new QHBoxLayout;
  auto* change = new QPushButton(tr("Change…"));
  change->setToolTip(tr("Load it on another device, with another dtype or number of threads"));
  auto* unload = new QPushButton(tr("Unload"));
  unload->setToolTip(tr("Free the model's memory; the trace stays open"));
  connect(change, &QPushButton::clicked, this, &ModelPanel::changeRequested);
  connect(unload, &QPushButton::clicked, this, &ModelPanel::unloadRequested);
  m_contextSize = new TextLabel({}, TextLabel::Style::Secondary);
  buttons->addWidget(change);
  buttons->addWidget(unload);
  buttons->addStretch(1);
  buttons->addWidget(m_contextSize);
  column->addLayout(buttons);
  m_architecture = rowsTitled({tr("Layers"), tr("Router"), tr("Experts"), tr("Attention")});
  column->addLayout(m_architecture);
  column->addStretch(1);
  m_scroll = new QScrollArea;
  m_scroll->setWidgetResizable(true);
  m_scroll->setFrameShape(QFrame::NoFrame);
  m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  column->setSizeConstraint(QLayout::SetMinimumSize);
  m_scroll->setWidget(page);
  return m_scroll;
}

QWidget* ModelPanel::makeLoadingPage() {
  auto* page = new QWidget;
  auto* column = new QVBoxLayout(page);
  column->setContentsMargins(kPadding, kPadding, kPadding, kPadding);
  column->addStretch(1);
  m_loadText = new TextLabel({}, TextLabel::Style::Secondary);
  m_loadText->setAlignment(Qt::AlignCenter);
  m_loadText->setWordWrap(true);
  m_loadLeft = new TextLabel({}, TextLabel::Style::Secondary);
  m_loadLeft->setAlignment(Qt::AlignCenter);
  m_loadLeft->setObjectName(QStringLiteral("load_left"));
  m_loadBar = new QProgressBar;
  m_loadBar->setTextVisible(false);
  m_loadBar->setFixedHeight(4);
  auto* cancel = new QPushButton(tr("Cancel"));
  connect(cancel, &QPushButton::clicked, this, [this] { m_context.session().stop(); });
  column->addWidget(m_loadText);
  column->addWidget(m_loadBar);
  column->addWidget(m_loadLeft);
  column->addWidget(cancel, 0, Qt::AlignHCenter);
  column->addStretch(1);
  return page;
}

void ModelPanel::showError(const QString& text) { m_error->showError(text); }

void ModelPanel::setRow(int row, const QString& value) { setRow(m_rows, row, value); }

void ModelPanel::setRow(QFormLayout* rows, int row, const QString& value) {
  auto* label = qobject_cast<QLabel*>(rows->itemAt(row, QFormLayout::FieldRole)->widget());
  label->setText(value);
  label->setToolTip(value);
}

void ModelPanel::refresh() {
  const auto status = m_context.session().status();
  if (status.state == engine::LiveState::Loading) {
    refreshLoading();
    m_error->hide();
    m_pages->setCurrentIndex(kLoadingPage);
  } else if (m_context.session().model()) {
    refreshLoaded();
    m_pages->setCurrentIndex(kLoadedPage);
  } else {
    m_pages->setCurrentIndex(kEmptyPage);
  }
}

void ModelPanel::refreshLoading() {
  const auto progress = m_context.session().status().progress;
  if (!progress) {
    m_pace.reset();
    m_loadBar->setRange(0, 0);
    m_loadLeft->clear();
    m_loadText->setText(tr("Opening the checkpoint"));
    return;
  }
  m_loadBar->setRange(0, 1000);
  m_loadBar->setValue(progress->total > 0 ? static_cast<int>(1000 * progress->done / progress->total) : 0);
  const QString left = m_pace.remaining(*progress);
  m_loadText->setText(progressText(*progress));
  m_loadLeft->setText(left);
}

void ModelPanel::refreshLoaded() {
  const auto model = m_context.session().model();
  const auto& checkpoint = model->checkpoint();
  const auto& description = checkpoint.description();
  const auto device = model->device();
  const auto memory = model->memory();
  m_name->setText(QString::fromStdString(checkpoint.displayName()));
  const QString score =
      description.routers.empty()
          ? tr("no router")
          : tr("%1 router").arg(QString::fromUtf8(name(description.routers.front().score).data()));
  setRow(kFamily, QStringLiteral("%1, %2").arg(QString::fromStdString(description.family), score));
  setRow(kRouters, routersText(description.routers));
  setRow(kParameters,
         tr("%1, active %2")
             .arg(parametersText(description.parametersTotal), parametersText(description.parametersActive)));
  setRow(kDevice, QStringLiteral("%1 (%2)").arg(QString::fromStdString(device.id),
                                                QString::fromStdString(device.name)));
  setRow(kDtype, QString::fromStdString(model->dtypeName()));
  const std::int64_t used = memory.weights + memory.cache + memory.other;
  setRow(kMemory, tr("%1 of %2").arg(bytesText(used), bytesText(device.totalBytes)));
  const auto words = checkpoint::describeInWords(description);
  setRow(m_architecture, kLayers, QString::fromStdString(words.layers));
  setRow(m_architecture, kRouter, QString::fromStdString(words.router));
  setRow(m_architecture, kExperts, QString::fromStdString(words.experts));
  setRow(m_architecture, kAttention, QString::fromStdString(words.attention));
  m_memoryBar->setValue(device.totalBytes > 0
                            ? static_cast<int>(std::max<std::int64_t>(1, 1000 * used / device.totalBytes))
                            : 0);
  m_memoryParts->setText(
      tr("weights %1, cache %2, other %3")
          .arg(bytesText(memory.weights), bytesText(memory.cache), bytesText(memory.other)));
  QStringList warnings;
  for (const auto& warning : description.warnings) warnings << QString::fromStdString(warning);
  m_warnings->setText(warnings.join(QLatin1Char('\n')));
  m_warnings->setVisible(!warnings.isEmpty());
  m_contextSize->setText(tr("context %1").arg(description.maxPositions));
  // The dock must not get narrower than the row of buttons, with the scroll bar beside it.
  const int bar = m_scroll->verticalScrollBar()->sizeHint().width();
  m_scroll->setMinimumWidth(m_scroll->widget()->minimumSizeHint().width() + bar);
}

}  // namespace moescope::views
