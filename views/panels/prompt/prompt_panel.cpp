#include "views/panels/prompt/prompt_panel.h"

#include <QAction>
#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QFrame>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QMenu>
#include <QProgressBar>
#include <QRandomGenerator>
#include <QScrollBar>
#include <QSettings>
#include <QSpinBox>
#include <QTextCursor>
#include <QTextEdit>
#include <QToolButton>
#include <QVBoxLayout>
#include <QWidgetAction>

#include "core/engine/generation/live_session.h"
#include "views/api/number_text.h"
#include "views/api/panel_widgets.h"
#include "views/api/theme.h"
#include "views/api/view_context.h"

namespace moescope::views {

namespace {

constexpr int kPadding = 8;
const auto kCaptureKey = QStringLiteral("prompt/capture");
constexpr int kFieldWidth = 92;  // ten digits
constexpr int kWithPace = 800;   // narrower, only the buttons fit

QDoubleSpinBox* decimalField(double value, double low, double high, double step, const QString& tip) {
  auto* field = new QDoubleSpinBox;
  field->setRange(low, high);
  field->setSingleStep(step);
  field->setDecimals(2);
  field->setValue(value);
  field->setToolTip(tip);
  field->setAlignment(Qt::AlignRight);
  field->setFixedWidth(kFieldWidth);
  return field;
}

QSpinBox* wholeField(int value, int low, int high, const QString& tip) {
  auto* field = new QSpinBox;
  field->setRange(low, high);
  field->setValue(value);
  field->setToolTip(tip);
  field->setAlignment(Qt::AlignRight);
  field->setFixedWidth(kFieldWidth);
  return field;
}

QString durationText(double seconds) {
  if (seconds < 60) return QObject::tr("%1 s left").arg(qMax(1, qRound(seconds)));
  return QObject::tr("%1 min left").arg(qRound(seconds / 60));
}

}  // namespace

QString captureName(trace::CaptureLevel level) {
  switch (level) {
    case trace::CaptureLevel::None: return PromptPanel::tr("Tokens only");
    case trace::CaptureLevel::Ids: return PromptPanel::tr("Expert ids");
    case trace::CaptureLevel::Weights: return PromptPanel::tr("Ids, weights");
    case trace::CaptureLevel::Full: break;
  }
  return PromptPanel::tr("Full logits");
}

trace::CaptureLevel defaultCapture() {
  const QString word = QSettings().value(kCaptureKey).toString();
  return trace::captureLevelFrom(word.toStdString()).value_or(trace::CaptureLevel::Full);
}

void setDefaultCapture(trace::CaptureLevel level) {
  const auto word = trace::name(level);
  QSettings().setValue(kCaptureKey, QString::fromUtf8(word.data(), static_cast<qsizetype>(word.size())));
}

std::int64_t captureBytesPerToken(const std::vector<RouterSpec>& routers, trace::CaptureLevel level) {
  std::int64_t bytes = 0;
  for (const auto& router : routers) {
    const std::int64_t idBytes = router.experts <= 255 ? 1 : 2;
    switch (level) {
      case trace::CaptureLevel::None: break;
      case trace::CaptureLevel::Ids: bytes += router.topK * idBytes; break;
      case trace::CaptureLevel::Weights: bytes += router.topK * (idBytes + 2); break;
      case trace::CaptureLevel::Full:
        bytes += router.topK * (idBytes + 4) + std::int64_t{router.experts} * 2;
        break;
    }
  }
  return bytes;
}

PromptPanel::PromptPanel(ViewContext& context, const PromptActions& actions, QWidget* parent)
    : QWidget(parent), m_context(context) {
  auto* outer = new QVBoxLayout(this);
  outer->setContentsMargins(0, 0, 0, 0);
  outer->setSpacing(0);
  m_error = new ErrorBar;
  outer->addWidget(m_error);
  auto* row = new QHBoxLayout;
  row->setContentsMargins(kPadding, kPadding, kPadding, kPadding);
  row->setSpacing(12);
  row->addWidget(makeEditorSide(actions), 1);
  auto* line = new QFrame;
  line->setFrameShape(QFrame::VLine);
  row->addWidget(line);
  row->addWidget(makeSettingsSide());
  outer->addLayout(row, 1);

  connect(&context, &ViewContext::tokenAppended, this, &PromptPanel::appendToken);
  connect(&context, &ViewContext::generationStarted, this, &PromptPanel::generationStarted);
  connect(&context, &ViewContext::liveStateChanged, this, &PromptPanel::refreshState);
  connect(&context, &ViewContext::modelChanged, this, &PromptPanel::refreshCaptureSizes);
  refreshCaptureSizes();
  refreshState();
}

void PromptPanel::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  m_pace->setVisible(width() >= kWithPace);
}

QWidget* PromptPanel::makeEditorSide(const PromptActions& actions) {
  auto* side = new QWidget;
  auto* column = new QVBoxLayout(side);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kPadding);
  m_editor = new QTextEdit;
  m_editor->setAcceptRichText(false);
  m_editor->setTabChangesFocus(true);
  m_editor->setPlaceholderText(tr("Write a prompt. Ctrl+Enter generates once a model is loaded."));
  m_editor->setAccessibleName(tr("Prompt and generated text"));
  connect(m_editor, &QTextEdit::textChanged, this, &PromptPanel::textEdited);
  column->addWidget(m_editor, 1);

  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(kPadding);
  buttons->addWidget(new ActionButton(actions.generate, true));
  buttons->addWidget(new ActionButton(actions.stop, false));
  buttons->addWidget(new ActionButton(actions.step, false, tr("Step one token")));
  buttons->addWidget(new ActionButton(actions.resume, false));
  buttons->addSpacing(kPadding);
  m_count = new TextLabel({}, TextLabel::Style::Secondary);
  m_progress = new QProgressBar;
  m_progress->setTextVisible(false);
  m_progress->setFixedSize(40, 4);
  m_rate = new TextLabel({}, TextLabel::Style::Title);
  m_left = new TextLabel({}, TextLabel::Style::Secondary);
  m_pace = new QWidget;
  m_pace->setMinimumWidth(1);  // gives way in a narrow window; the status bar shows the same
  auto* pace = new QHBoxLayout(m_pace);
  pace->setContentsMargins(0, 0, 0, 0);
  for (QWidget* part : std::initializer_list<QWidget*>{m_count, m_progress, m_rate, m_left})
    pace->addWidget(part);
  buttons->addWidget(m_pace);
  buttons->addStretch(1);
  column->addLayout(buttons);
  return side;
}

QWidget* PromptPanel::makeSettingsSide() {
  auto* side = new QWidget;
  auto* form = new QFormLayout(side);
  form->setContentsMargins(0, 0, 0, 0);
  form->setVerticalSpacing(4);
  form->setHorizontalSpacing(12);
  const engine::SamplerSettings defaults;
  m_temperature =
      decimalField(defaults.temperature, 0.0, 5.0, 0.05, tr("0 always takes the most probable token"));
  m_topP = decimalField(defaults.topP, 0.0, 1.0, 0.05,
                        tr("Smallest set of tokens with this probability; 1 is off"));
  m_seed = wholeField(static_cast<int>(defaults.seed), 0, std::numeric_limits<int>::max(),
                      tr("The same seed gives the same text"));
  m_keepSeed = new QCheckBox(tr("keep"));
  m_keepSeed->setChecked(true);
  m_keepSeed->setToolTip(tr("Off: every Generate draws a new seed"));
  m_maxTokens = wholeField(128, 1, 1 << 20, tr("Generate and Continue add at most this many tokens"));
  m_capture = new QComboBox;
  m_capture->setToolTip(tr("What the trace keeps of every routing decision"));
  m_capture->setAccessibleName(tr("Capture level"));

  auto* seedRow = new QHBoxLayout;
  seedRow->setSpacing(kPadding);
  seedRow->addWidget(m_seed);
  seedRow->addWidget(m_keepSeed);
  seedRow->addStretch(1);
  auto* maxRow = new QHBoxLayout;
  maxRow->setSpacing(kPadding);
  maxRow->addWidget(m_maxTokens);
  auto* more = new QToolButton;
  more->setText(tr("More…"));
  more->setToolTip(tr("Top-k, min-p, repetition penalty, stop strings"));
  more->setPopupMode(QToolButton::InstantPopup);
  auto* menu = new QMenu(more);
  auto* content = new QWidgetAction(menu);
  content->setDefaultWidget(makeMoreSettings());
  menu->addAction(content);
  more->setMenu(menu);
  maxRow->addWidget(more);
  maxRow->addStretch(1);

  form->addRow(tr("Temperature"), m_temperature);
  form->addRow(tr("Top-p"), m_topP);
  form->addRow(tr("Seed"), seedRow);
  form->addRow(tr("Max tokens"), maxRow);
  form->addRow(tr("Capture"), m_capture);
  return side;
}

QWidget* PromptPanel::makeMoreSettings() {
  auto* box = new QWidget;
  auto* form = new QFormLayout(box);
  form->setContentsMargins(12, 12, 12, 12);
  m_topK = wholeField(0, 0, 1 << 20, tr("Only the k most probable tokens; 0 is off"));
  m_minP = decimalField(0.0, 0.0, 1.0, 0.01, tr("Least probability as a share of the largest; 0 is off"));
  m_repetition =
      decimalField(1.0, 0.5, 3.0, 0.05, tr("Divides the logits of tokens that occurred; 1 is off"));
  m_stopStrings = new QLineEdit;
  m_stopStrings->setPlaceholderText(tr("separated by |, \\n is a new line"));
  m_stopStrings->setMinimumWidth(200);
  m_ignoreEnd = new QCheckBox(tr("Go on after the end-of-text token"));
  form->addRow(tr("Top-k"), m_topK);
  form->addRow(tr("Min-p"), m_minP);
  form->addRow(tr("Repetition penalty"), m_repetition);
  form->addRow(tr("Stop strings"), m_stopStrings);
  form->addRow(QString(), m_ignoreEnd);
  return box;
}

engine::GenerationSettings PromptPanel::settings() {
  if (!m_keepSeed->isChecked()) {
    m_seed->setValue(static_cast<int>(QRandomGenerator::global()->bounded(m_seed->maximum())));
  }
  engine::GenerationSettings settings;
  settings.prompt = prompt().toStdString();
  settings.maxTokens = m_maxTokens->value();
  settings.sampler.temperature = m_temperature->value();
  settings.sampler.topP = m_topP->value();
  settings.sampler.topK = m_topK->value();
  settings.sampler.minP = m_minP->value();
  settings.sampler.repetitionPenalty = m_repetition->value();
  settings.sampler.seed = static_cast<std::uint64_t>(m_seed->value());
  settings.ignoreEndTokens = m_ignoreEnd->isChecked();
  settings.capture = static_cast<trace::CaptureLevel>(m_capture->currentData().toInt());
  for (QString text : m_stopStrings->text().split(QLatin1Char('|'), Qt::SkipEmptyParts)) {
    settings.stopStrings.push_back(text.replace(QLatin1String("\\n"), QLatin1String("\n")).toStdString());
  }
  return settings;
}

QString PromptPanel::prompt() const { return m_editor->toPlainText().left(m_promptLength); }

void PromptPanel::setCapture(trace::CaptureLevel level) {
  m_capture->setCurrentIndex(m_capture->findData(static_cast<int>(level)));
}

void PromptPanel::setPrompt(const QString& text) {
  m_writing = true;
  m_editor->setPlainText(text);
  m_writing = false;
  m_promptLength = static_cast<int>(text.size());
}

void PromptPanel::showError(const QString& text) { m_error->showError(text); }

void PromptPanel::focusEditor() { m_editor->setFocus(); }

void PromptPanel::textEdited() {
  if (m_writing) return;
  // What the user touched is theirs: all of it is the next prompt.
  m_promptLength = static_cast<int>(m_editor->toPlainText().size());
  m_writing = true;
  QTextCursor all(m_editor->document());
  all.select(QTextCursor::Document);
  all.setCharFormat(QTextCharFormat());
  m_editor->setCurrentCharFormat(QTextCharFormat());
  m_writing = false;
}

void PromptPanel::generationStarted() {
  m_error->hide();
  setPrompt(prompt());
}

void PromptPanel::appendToken(const QString& text, bool isPrompt) {
  if (isPrompt || text.isEmpty()) return;
  auto* bar = m_editor->verticalScrollBar();
  const bool atEnd = bar->value() >= bar->maximum() - 4;
  m_writing = true;
  QTextCursor end(m_editor->document());
  end.movePosition(QTextCursor::End);
  QTextCharFormat format;
  format.setForeground(Theme::current().colour(ColourRole::Text2));
  end.insertText(text, format);
  m_writing = false;
  if (atEnd) bar->setValue(bar->maximum());
}

void PromptPanel::refreshState() {
  const auto status = m_context.session().status();
  const bool busy = status.state == engine::LiveState::Running || status.state == engine::LiveState::Stopping;
  m_editor->setReadOnly(busy);
  const bool shown = status.generatedTokens > 0 || busy;
  for (QWidget* widget :
       {static_cast<QWidget*>(m_count), static_cast<QWidget*>(m_progress), static_cast<QWidget*>(m_rate)}) {
    widget->setVisible(shown);
  }
  m_left->setVisible(busy && status.tokensPerSecond > 0);
  m_count->setText(tr("%1 of %2 tokens").arg(countText(status.generatedTokens), countText(status.maxTokens)));
  m_progress->setRange(0, static_cast<int>(qMax<std::int64_t>(1, status.maxTokens)));
  m_progress->setValue(static_cast<int>(status.generatedTokens));
  m_rate->setText(status.tokensPerSecond > 0 ? tr("%1 tok/s").arg(status.tokensPerSecond, 0, 'f', 1)
                                             : QString());
  if (status.tokensPerSecond > 0) {
    m_left->setText(durationText(static_cast<double>(status.maxTokens - status.generatedTokens) /
                                 status.tokensPerSecond));
  }
}

void PromptPanel::refreshCaptureSizes() {
  const auto model = m_context.session().model();
  const auto routers = model ? model->checkpoint().description().routers : std::vector<RouterSpec>{};
  const QVariant chosen =
      m_capture->count() > 0 ? m_capture->currentData() : QVariant(static_cast<int>(defaultCapture()));
  m_capture->clear();
  for (const auto level : {trace::CaptureLevel::None, trace::CaptureLevel::Ids, trace::CaptureLevel::Weights,
                           trace::CaptureLevel::Full}) {
    const QString name = captureName(level);
    const auto bytes = captureBytesPerToken(routers, level);
    const QString text = bytes > 0 ? tr("%1, %2/token").arg(name, bytesText(bytes)) : name;
    m_capture->addItem(text, static_cast<int>(level));
  }
  m_capture->setCurrentIndex(m_capture->findData(chosen));
}

}  // namespace moescope::views
