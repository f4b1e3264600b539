// RouterBox: the box in which a panel's user chooses a router of a run: "Layer 3", "Layer 3 attention".
// Not for what the panel then shows.
#pragma once

#include <QComboBox>

#include <optional>
#include <vector>

#include "core/base/router_spec.h"

namespace moescope::views {

/// GUI thread only. Its signals are those of QComboBox.
class RouterBox : public QComboBox {
  Q_OBJECT

 public:
  using QComboBox::QComboBox;

  /// Chooses `preferred` if it is there, else what was chosen before, else the first. No signal.
  void setRouters(const std::vector<RouterSpec>& routers, const std::optional<RouterKey>& preferred = {});
  /// Chooses the router if the box has it; false if it has not or if it is chosen already. No signal.
  bool choose(const RouterKey& router);
  /// None while the box is empty.
  [[nodiscard]] std::optional<RouterKey> router() const;
  [[nodiscard]] std::optional<RouterSpec> spec() const;

 private:
  std::vector<RouterSpec> m_routers;
};

}  // namespace moescope::views
