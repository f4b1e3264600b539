// CanvasFonts: the fonts of a canvas: Open Sans rasterised by ImGui at size x device pixel ratio, and Qt's
// fonts for text that needs shaping. Not for drawing.
#pragma once

#include <QFont>

#include <array>
#include <string>
#include <string_view>
#include <unordered_map>

#include "views/api/canvas_painter.h"

struct ImFont;

namespace moescope::views {

inline constexpr int kFontRoles = 4;

/// The Qt font of a role.
QFont qtFont(FontRole role);

/// GUI thread only; its ImGui context must be current.
class CanvasFonts {
 public:
  /// Rasterises again if the ratio or the system's font size changed. True if it did: the texture of the
  /// fonts must then be made again.
  bool prepare(double devicePixelRatio);

  /// Null where Qt has to draw the text: tokens, and any text with a glyph that Open Sans lacks.
  [[nodiscard]] ImFont* imguiFont(FontRole role, std::string_view utf8) const;
  /// Height of a line in logical pixels.
  [[nodiscard]] float lineHeight(FontRole role) const;
  /// Logical pixels, as drawn.
  [[nodiscard]] float width(std::string_view utf8, FontRole role);

 private:
  std::array<ImFont*, kFontRoles> m_fonts{};
  std::array<float, kFontRoles> m_heights{};
  std::array<std::unordered_map<std::string, float>, kFontRoles> m_widths;  // of text that Qt draws
  double m_ratio = 0.0;
  int m_bodyPixels = 0;
};

}  // namespace moescope::views
