#include "views/panels/prompt/chat_mode.h"

#include <QPlainTextEdit>
#include <QStackedWidget>
#include <QTimer>
#include <QVBoxLayout>

#include "core/engine/generation/checkpoint_tokenizer.h"
#include "core/engine/generation/live_session.h"
#include "views/api/number_text.h"
#include "views/api/panel_widgets.h"
#include "views/api/query_runner.h"
#include "views/api/view_context.h"
#include "views/panels/prompt/chat_turns.h"

namespace moescope::views {

namespace {

constexpr int kPauseMs = 150;
enum Page { kTurnsPage, kPreviewPage };

}  // namespace

ChatMode::ChatMode(ViewContext& context, QWidget* parent)
    : QWidget(parent),
      m_context(context),
      m_problem(new ErrorBar),
      m_pages(new QStackedWidget),
      m_turns(new ChatTurns),
      m_previewHead(new TextLabel({}, TextLabel::Style::Secondary)),
      m_preview(new QPlainTextEdit),
      m_pause(new QTimer(this)),
      m_query(new QueryRunner(this)) {
  m_problem->setObjectName(QStringLiteral("template_problem"));
  m_preview->setObjectName(QStringLiteral("preview"));
  m_preview->setReadOnly(true);
  m_preview->setTabChangesFocus(true);
  m_preview->setAccessibleName(tr("Prompt as the model gets it"));
  auto* preview = new QWidget;
  auto* rows = new QVBoxLayout(preview);
  rows->setContentsMargins(0, 0, 0, 0);
  rows->setSpacing(2);
  rows->addWidget(m_previewHead);
  rows->addWidget(m_preview, 1);
  m_pages->addWidget(m_turns);
  m_pages->addWidget(preview);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(4);
  column->addWidget(m_problem);
  column->addWidget(m_pages, 1);
  m_pause->setSingleShot(true);
  m_pause->setInterval(kPauseMs);
  connect(m_pause, &QTimer::timeout, this, &ChatMode::refresh);
  connect(m_turns, &ChatTurns::changed, m_pause, qOverload<>(&QTimer::start));
  connect(&context, &ViewContext::modelChanged, this, &ChatMode::readTemplate);
  readTemplate();
}

ChatMode::~ChatMode() = default;

void ChatMode::readTemplate() {
  m_template.reset();
  if (const auto model = m_context.session().model()) {
    auto opened = engine::openTemplate(model->checkpoint());
    if (opened || opened.error().kind != "chat.missing")
      m_template = std::make_shared<const Result<chat::ChatTemplate>>(std::move(opened));
  }
  refresh();
  Q_EMIT availabilityChanged();
}

QString ChatMode::unavailable() const {
  if (m_template) return {};
  return m_context.session().model() ? tr("The model has no chat template")
                                     : tr("Needs a model with a chat template");
}

Result<FilledPrompt> ChatMode::filled() const {
  const auto tokenizer = m_context.session().tokenizer();
  if (!m_template || !tokenizer) {
    return fail("chat.missing", "", "", "no model with a chat template is loaded", "use the plain prompt");
  }
  if (!*m_template) return fail(m_template->error());
  return fillTemplate(**m_template, *tokenizer, m_turns->turns());
}

void ChatMode::setTurns(const std::vector<ChatTurn>& turns) {
  m_turns->setTurns(turns);
  refresh();
}

void ChatMode::setReadOnly(bool on) { m_turns->setReadOnly(on); }

void ChatMode::endAnswer() {
  m_turns->endAnswer();
  refresh();
}

void ChatMode::showProblem(const Error& error) { m_problem->showError(QString::fromStdString(error.text())); }

void ChatMode::showPreview(bool on) { m_pages->setCurrentIndex(on ? kPreviewPage : kTurnsPage); }

void ChatMode::focusEditor() {
  if (m_pages->currentIndex() == kPreviewPage) {
    m_preview->setFocus();
  } else {
    m_turns->focusLast();
  }
}

void ChatMode::refresh() {
  m_pause->stop();
  const auto tokenizer = m_context.session().tokenizer();
  const auto turns = m_turns->turns();
  if (!m_template || !tokenizer) {
    m_query->cancel();
    m_problem->hide();
    m_preview->clear();
    m_previewHead->clear();
    return;
  }
  if (!*m_template) {
    m_query->cancel();
    showFilled(fail(m_template->error()));
    return;
  }
  auto work = [this, chat = m_template, tokenizer, turns](const std::stop_token&) {
    auto filled = std::make_shared<Result<FilledPrompt>>(fillTemplate(**chat, *tokenizer, turns));
    return QueryRunner::Delivery([this, filled] { showFilled(*filled); });
  };
  m_query->request(std::move(work), QueryRunner::Urgency::Replace);
}

void ChatMode::showFilled(const Result<FilledPrompt>& filled) {
  if (filled) {
    m_problem->hide();
    m_preview->setPlainText(QString::fromStdString(filled->text));
    m_previewHead->setText(
        tr("Prompt as the model gets it, %1 tokens").arg(countText(static_cast<int>(filled->ids.size()))));
    return;
  }
  m_preview->clear();
  if (filled.error().kind == "generate.empty_prompt") {
    m_previewHead->setText(tr("Nothing to fill in: %1.").arg(QString::fromStdString(filled.error().message)));
    m_problem->hide();
    return;
  }
  m_previewHead->setText(tr("The template cannot be filled."));
  showProblem(filled.error());
}

}  // namespace moescope::views
