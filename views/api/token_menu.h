// Token menu: what every picture offers on selected tokens. Not for experts (expert_actions.h).
#pragma once

#include <QString>

#include "core/trace/trace_store.h"

class QMenu;
class QWidget;

namespace moescope::views {

class ViewContext;

/// Copy text; Continue from here, enabled where the session can rewind to the last of `tokens`. The menu
/// deletes itself when it closes; the caller adds what it has and opens it. GUI thread.
QMenu* makeTokenMenu(ViewContext& context, trace::RunId run, trace::TokenRange tokens, QWidget* parent);
/// The real text of tokens; bytes that are no UTF-8 become U+FFFD.
QString tokensText(const trace::TraceStore& store, trace::RunId run, trace::TokenRange tokens);

}  // namespace moescope::views
