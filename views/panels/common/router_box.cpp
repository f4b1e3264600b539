#include "views/api/router_box.h"

#include <QSignalBlocker>

#include <algorithm>

#include "core/base/router_label.h"
#include "views/api/router_text.h"

namespace moescope::views {

void RouterBox::setRouters(const std::vector<RouterSpec>& routers,
                           const std::optional<RouterKey>& preferred) {
  const QSignalBlocker blocker(this);
  const auto before = router();
  clear();
  m_routers = routers;
  for (const RouterSpec& each : m_routers) addItem(routerHeading(each));
  if (before) choose(*before);
  if (preferred) choose(*preferred);
}

bool RouterBox::choose(const RouterKey& router) {
  const auto found = routerIndex(m_routers, router);
  if (!found || currentIndex() == static_cast<int>(*found)) return false;
  const QSignalBlocker blocker(this);
  setCurrentIndex(static_cast<int>(*found));
  return true;
}

std::optional<RouterSpec> RouterBox::spec() const {
  const auto index = static_cast<std::size_t>(std::max(0, currentIndex()));
  if (currentIndex() < 0 || index >= m_routers.size()) return std::nullopt;
  return m_routers[index];
}

std::optional<RouterKey> RouterBox::router() const {
  const auto chosen = spec();
  if (!chosen) return std::nullopt;
  return routerKey(m_routers, *chosen);
}

}  // namespace moescope::views
