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

void SelectionModel::setLayer(std::optional<LayerIndex> layer) {
  if (m_layer == layer) return;
  m_layer = layer;
  Q_EMIT layerChanged();
}

void SelectionModel::clear() {
  setTokens({});
  setExperts({});
  setLayer(std::nullopt);
}

}  // namespace moescope::views
