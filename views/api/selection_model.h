// SelectionModel: the one selection that links all panels. Not for hover or for keyboard cursors,
// which belong to a panel.
#pragma once

#include <QObject>

#include <optional>
#include <set>

#include "core/base/indices.h"
#include "core/trace/routing_types.h"

namespace moescope::views {

/// GUI thread only.
class SelectionModel : public QObject {
  Q_OBJECT

 public:
  explicit SelectionModel(QObject* parent = nullptr) : QObject(parent) {}

  [[nodiscard]] std::optional<trace::RunId> run() const { return m_run; }
  [[nodiscard]] trace::TokenRange tokens() const { return m_tokens; }  ///< empty range = none
  [[nodiscard]] const std::set<ExpertCell>& experts() const { return m_experts; }
  [[nodiscard]] const std::optional<RouterKey>& router() const { return m_router; }  ///< that is looked at

  void setRun(std::optional<trace::RunId> run);  ///< clears the tokens
  void setTokens(trace::TokenRange tokens);
  void setExperts(std::set<ExpertCell> experts);
  void setRouter(std::optional<RouterKey> router);
  void clear();

 Q_SIGNALS:
  void runChanged();
  void tokensChanged();
  void expertsChanged();
  void routerChanged();

 private:
  std::optional<trace::RunId> m_run;
  trace::TokenRange m_tokens;
  std::set<ExpertCell> m_experts;
  std::optional<RouterKey> m_router;
};

}  // namespace moescope::views
