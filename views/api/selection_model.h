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
  [[nodiscard]] std::optional<LayerIndex> layer() const { return m_layer; }  ///< the layer that is looked at

  void setRun(std::optional<trace::RunId> run);  ///< clears the tokens
  void setTokens(trace::TokenRange tokens);
  void setExperts(std::set<ExpertCell> experts);
  void setLayer(std::optional<LayerIndex> layer);
  void clear();

 Q_SIGNALS:
  void runChanged();
  void tokensChanged();
  void expertsChanged();
  void layerChanged();

 private:
  std::optional<trace::RunId> m_run;
  trace::TokenRange m_tokens;
  std::set<ExpertCell> m_experts;
  std::optional<LayerIndex> m_layer;
};

}  // namespace moescope::views
