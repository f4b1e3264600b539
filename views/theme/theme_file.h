// The colours of a theme, read from resources/themes/*.json. Not for choosing or applying one (theme.h).
#pragma once

#include <QColor>
#include <QString>

#include <array>

#include "core/base/result.h"
#include "views/api/theme.h"

namespace moescope::views {

using ThemeColours = std::array<QColor, kColourRoles>;

/// The key of a role in the file: "onAccent".
QString keyOf(ColourRole role);

/// Every role once as "#RRGGBB", nothing else. Errors: `theme.bad_file`, with file and key.
Result<ThemeColours> readThemeColours(const QString& file);

}  // namespace moescope::views
