#include "views/api/motion.h"

#include <QSettings>

#include <optional>

namespace moescope::views {

namespace {

const auto kKey = QStringLiteral("reduced_motion");

std::optional<bool>& known() {
  static std::optional<bool> reduced;
  return reduced;
}

}  // namespace

bool reducedMotion() {
  if (!known()) known() = QSettings().value(kKey, false).toBool();
  return *known();
}

void setReducedMotion(bool reduced) {
  known() = reduced;
  QSettings().setValue(kKey, reduced);
}

}  // namespace moescope::views
