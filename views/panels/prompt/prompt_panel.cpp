#include "views/panels/prompt/prompt_panel.h"

#include <QAction>
#include <QButtonGroup>
#include <QFrame>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QScrollBar>
#include <QSettings>
#include <QStackedWidget>
#include <QTextCursor>
#include <QTextEdit>
#include <QToolButton>
#include <QVBoxLayout>

#include <utility>

#include "core/engine/generation/live_session.h"
#include "core/engine/generation/run_records.h"
#include "views/api/number_text.h"
#include "views/api/panel_widgets.h"
#include "views/api/theme.h"
#include "views/api/view_context.h"
#include "views/panels/prompt/chat_mode.h"
#include "views/panels/prompt/chat_turns.h"

namespace moescope::views {

namespace {

constexpr int kPadding = 8, kModeGap = 4, kModeHeight = 24;
constexpr int kWithPace = 800;  // narrower, only the buttons fit
constexpr qsizetype kMostRemembered =
    1 << 20;  // characters; the settings are one file that is read at each start
const auto kTextKey = QStringLiteral("prompt/text");
const auto kTurnsKey = QStringLiteral("prompt/conversation");
const auto kChatKey = QStringLiteral("prompt/chat");
enum Page { kTextPage, kChatPage };

QString durationText(double seconds) {
  if (seconds < 60) return QObject::tr("%1 s left").arg(qMax(1, qRound(seconds)));
  return QObject::tr("%1 min left").arg(qRound(seconds / 60));
}

/// A run is named after the words of the turn that it answers, not after the template's.
std::string runName(const std::vector<ChatTurn>& turns) {
  const std::size_t sent = sentTurns(turns);
  return sent > 0 ? engine::firstWords(turns[sent - 1].text.toStdString()) : std::string();
}

}  // namespace

PromptPanel::PromptPanel(ViewContext& context, const PromptActions& actions, QWidget* parent)
    : QWidget(parent),
      m_context(context),
      m_error(new ErrorBar),
      m_editor(new QTextEdit),
      m_chat(new ChatMode(context)),
      m_sampler(new SamplerForm(context)) {
  auto* outer = new QVBoxLayout(this);
  outer->setContentsMargins(0, 0, 0, 0);
  outer->setSpacing(0);
  outer->addWidget(m_error);
  auto* row = new QHBoxLayout;
  row->setContentsMargins(kPadding, kPadding, kPadding, kPadding);
  row->setSpacing(12);
  row->addWidget(makeEditorSide(actions), 1);
  auto* line = new QFrame;
  line->setFrameShape(QFrame::VLine);
  row->addWidget(line);
  row->addWidget(m_sampler);
  outer->addLayout(row, 1);

  connect(&context, &ViewContext::tokenAppended, this, &PromptPanel::appendToken);
  connect(&context, &ViewContext::generationStarted, this, &PromptPanel::generationStarted);
  connect(&context, &ViewContext::liveStateChanged, this, &PromptPanel::refreshState);
  connect(m_chat, &ChatMode::availabilityChanged, this, &PromptPanel::refreshMode);
  refreshMode();
  refreshState();
}

void PromptPanel::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  m_pace->setVisible(width() >= kWithPace);
}

QToolButton* PromptPanel::addButton(QLayout& column, const char* name, const QString& text,
                                    const QString& toolTip) {
  auto* button = new QToolButton;
  button->setObjectName(QString::fromLatin1(name));
  button->setText(text);
  button->setToolTip(toolTip);
  button->setMinimumHeight(kModeHeight);
  button->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  button->setFocusPolicy(Qt::TabFocus);
  column.addWidget(button);
  return button;
}

/// Beside the text, where there is more room than above it.
QWidget* PromptPanel::makeModes() {
  auto* side = new QWidget;
  auto* column = new QVBoxLayout(side);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  m_textMode = addButton(*column, "text_mode", tr("Text"), tr("One text that the model continues"));
  m_chatMode = addButton(*column, "chat_mode", tr("Chat"), {});
  column->addSpacing(kModeGap);
  m_addTurn =
      addButton(*column, "add_turn", tr("Add turn"), tr("Add a turn to the conversation (Alt+Insert)"));
  column->addSpacing(kModeGap);
  m_preview = addButton(*column, "show_preview", tr("Preview"),
                        tr("The filled template, with its special tokens as text"));
  column->addStretch(1);
  auto* modes = new QButtonGroup(side);
  for (QToolButton* mode : {m_textMode, m_chatMode}) {
    mode->setCheckable(true);
    modes->addButton(mode);
  }
  m_preview->setCheckable(true);
  connect(m_textMode, &QToolButton::clicked, this, [this] { chooseMode(false); });
  connect(m_chatMode, &QToolButton::clicked, this, [this] { chooseMode(true); });
  connect(m_addTurn, &QToolButton::clicked, this, [this] {
    m_preview->setChecked(false);
    m_chat->turns().addTurn();
  });
  connect(m_preview, &QToolButton::toggled, m_chat, &ChatMode::showPreview);
  return side;
}

QWidget* PromptPanel::makeEditorSide(const PromptActions& actions) {
  m_editor->setAcceptRichText(false);
  m_editor->setTabChangesFocus(true);
  m_editor->setPlaceholderText(tr("Write a prompt. Ctrl+Enter generates once a model is loaded."));
  m_editor->setAccessibleName(tr("Prompt and generated text"));
  connect(m_editor, &QTextEdit::textChanged, this, &PromptPanel::textEdited);
  m_pages = new QStackedWidget;
  m_pages->addWidget(m_editor);
  m_pages->addWidget(m_chat);
  auto* side = new QWidget;
  auto* column = new QVBoxLayout(side);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kPadding);
  auto* row = new QHBoxLayout;
  row->setSpacing(kPadding);
  row->addWidget(makeModes());
  row->addWidget(m_pages, 1);
  column->addLayout(row, 1);
  column->addWidget(makePrefix());
  column->addLayout(makeButtons(actions));
  return side;
}

/// What a decoder begins with; shown for encoder-decoders alone, whose prompt is the encoder's input.
QWidget* PromptPanel::makePrefix() {
  m_prefixRow = new QWidget;
  m_prefix = new QLineEdit;
  m_prefix->setObjectName(QStringLiteral("decoder_prefix"));
  m_prefix->setPlaceholderText(tr("as the checkpoint says, or e.g. fra_Latn"));
  m_prefix->setToolTip(
      tr("The prompt is the encoder's input. The decoder's text begins with this, "
         "for translation with the target language"));
  auto* label = new QLabel(tr("Text begins with"));
  label->setBuddy(m_prefix);
  auto* row = new QHBoxLayout(m_prefixRow);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(kPadding);
  row->addWidget(label);
  row->addWidget(m_prefix, 1);
  return m_prefixRow;
}

QLayout* PromptPanel::makeButtons(const PromptActions& actions) {
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
  return buttons;
}

void PromptPanel::chooseMode(bool chat) {
  m_wantsChat = chat;
  refreshMode();
  focusEditor();
}

bool PromptPanel::isChat() const { return m_pages->currentIndex() == kChatPage; }

/// A conversation waits while the model that is loaded cannot chat.
void PromptPanel::refreshMode() {
  const QString why = m_chat->unavailable();
  const bool chat = m_wantsChat && why.isEmpty();
  m_pages->setCurrentIndex(chat ? kChatPage : kTextPage);
  (chat ? m_chatMode : m_textMode)->setChecked(true);
  m_chatMode->setEnabled(why.isEmpty());
  m_chatMode->setToolTip(why.isEmpty() ? tr("Turns with roles, put into the model's chat template") : why);
  m_addTurn->setVisible(chat);
  m_addTurn->setEnabled(!m_busy);
  m_preview->setVisible(chat);
}

Result<engine::GenerationSettings> PromptPanel::settings() {
  const bool chat = isChat();
  std::string text = prompt().toStdString(), name;
  std::vector<std::int32_t> ids;
  if (chat) {
    auto filled = m_chat->filled();
    if (!filled) return fail(filled.error());
    text = std::move(filled->text);
    ids = std::move(filled->ids);
    name = runName(m_chat->turns().turns());
  }
  auto settings = m_sampler->settings();
  settings.prompt = std::move(text);
  settings.promptIds = std::move(ids);
  settings.runName = std::move(name);
  if (hasEncoder()) settings.decoderPrefix = m_prefix->text().toStdString();
  m_askedInChat = chat;
  return settings;
}

QString PromptPanel::prompt() const { return m_editor->toPlainText().left(m_promptLength); }

void PromptPanel::setPrompt(const QString& text) {
  m_writing = true;
  m_editor->setPlainText(text);
  m_writing = false;
  m_promptLength = static_cast<int>(text.size());
}

void PromptPanel::showError(const QString& text) { m_error->showError(text); }

void PromptPanel::showRefused(const Error& error) {
  if (error.kind.starts_with("chat.")) {
    m_chat->showProblem(error);
  } else {
    showError(QString::fromStdString(error.text()));
  }
}

void PromptPanel::clearError() { m_error->hide(); }

void PromptPanel::focusEditor() {
  if (isChat()) {
    m_chat->focusEditor();
  } else {
    m_editor->setFocus();
  }
}

void PromptPanel::save() const {
  QSettings settings;
  const auto keep = [&settings](const QString& key, const QString& text) {
    settings.setValue(key, text.size() <= kMostRemembered ? text : QString());
  };
  keep(kTextKey, prompt());
  keep(kTurnsKey, turnsToJson(m_chat->turns().turns()));
  settings.setValue(kChatKey, m_wantsChat);
}

void PromptPanel::restore() {
  const QSettings settings;
  setPrompt(settings.value(kTextKey).toString());
  m_chat->setTurns(turnsFromJson(settings.value(kTurnsKey).toString()));
  m_wantsChat = settings.value(kChatKey).toBool();
  refreshMode();
}

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
  m_writesToChat = m_answering = m_askedInChat;
  if (m_writesToChat) {
    m_chat->turns().beginAnswer();
  } else {
    setPrompt(prompt());
  }
}

void PromptPanel::appendToken(const QString& text, bool isPrompt) {
  if (isPrompt || text.isEmpty()) return;
  if (m_writesToChat) {
    m_chat->turns().appendAnswer(text);
    return;
  }
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

bool PromptPanel::hasEncoder() const {
  const auto model = m_context.session().model();
  return model != nullptr && model->checkpoint().description().encoder.has_value();
}

void PromptPanel::refreshState() {
  const auto status = m_context.session().status();
  const bool busy = status.state == engine::LiveState::Running || status.state == engine::LiveState::Stopping;
  m_editor->setReadOnly(busy);
  m_chat->setReadOnly(busy);
  if (!busy && std::exchange(m_answering, false)) m_chat->endAnswer();
  m_busy = busy;
  m_addTurn->setEnabled(!busy);
  m_prefixRow->setVisible(hasEncoder());
  m_prefix->setEnabled(!busy);
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

}  // namespace moescope::views
