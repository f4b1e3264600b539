#include "views/api/token_menu.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QMenu>

#include "core/engine/generation/live_session.h"
#include "views/api/theme.h"
#include "views/api/view_context.h"

namespace moescope::views {

namespace {

/// Whether the live session stands at the end of this run and nothing runs.
bool canContinue(const ViewContext& context, trace::RunId run) {
  const engine::LiveStatus status = context.session().status();
  return status.run == run && status.canContinue && status.state == engine::LiveState::Idle;
}

}  // namespace

QString tokensText(const trace::TraceStore& store, trace::RunId run, trace::TokenRange tokens) {
  std::string bytes;
  std::shared_ptr<const trace::TokenBlock> block;
  for (std::int64_t token = tokens.begin; token < tokens.end; ++token) {
    const auto at = static_cast<std::size_t>(token % trace::kBlockTokens);
    if (!block || at == 0) block = store.tokenBlock(run, token / trace::kBlockTokens);
    if (block && !block->damaged && at < block->ids.size()) bytes += store.tokenBytes(run, block->ids[at]);
  }
  return QString::fromStdString(bytes);
}

QMenu* makeTokenMenu(ViewContext& context, trace::RunId run, trace::TokenRange tokens, QWidget* parent) {
  auto* menu = new QMenu(parent);
  menu->setAttribute(Qt::WA_DeleteOnClose);
  const auto store = context.store();
  auto* copy = menu->addAction(themeIcon(QStringLiteral("copy")), QMenu::tr("Copy text"));
  copy->setEnabled(store && tokens.size() > 0);
  QObject::connect(copy, &QAction::triggered, menu, [store, run, tokens] {
    QGuiApplication::clipboard()->setText(tokensText(*store, run, tokens));
  });
  auto* resume = menu->addAction(themeIcon(QStringLiteral("continue")), QMenu::tr("Continue from here"));
  resume->setEnabled(store && tokens.size() > 0 && canContinue(context, run));
  QObject::connect(resume, &QAction::triggered, menu,
                   [&context, tokens] { context.session().continueFrom(tokens.end - 1); });
  return menu;
}

}  // namespace moescope::views
