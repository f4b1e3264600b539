#include "views/api/selection_model.h"

#include <utility>

namespace moescope::views {

void SelectionModel::setRun(std::optional<trace::RunId> run) {
  if (m_run == run) return;
  setTokens({});
  m_run = run;
  Q_EMIT runChanged();
}

void SelectionModel::setTokens(trace::TokenRange tokens) {
  if (m_tokens == tokens) return;
  m_tokens = tokens;
  Q_EMIT tokensChanged();
}

void SelectionModel::setExperts(std::set<ExpertCell> experts) {
  if (m_experts == experts) return;
  m_experts = std::move(experts);
  Q_EMIT expertsChanged();
}

void SelectionModel::setRouter(std::optional<RouterKey> router) {
  if (m_router == router) return;
  m_router = std::move(router);
  Q_EMIT routerChanged();
}

void SelectionModel::clear() {
  setTokens({});
  setExperts({});
  setRouter(std::nullopt);
}

}  // namespace moescope::views
