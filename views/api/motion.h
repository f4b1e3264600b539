// Motion: whether pictures may move. Not for how they do.
#pragma once

namespace moescope::views {

/// The user's wish for less motion: zoom at once, live pictures twice a second. Kept with the settings.
/// GUI thread only.
[[nodiscard]] bool reducedMotion();
void setReducedMotion(bool reduced);

}  // namespace moescope::views
