// StripLayout: token boxes wrapped into lines; knows where every token stands without keeping its rectangle.
// Not for drawing.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "views/api/canvas_painter.h"
#include "views/panels/token_strip/strip_text.h"

namespace moescope::views {

class StripLayout {
 public:
  static constexpr float kBoxHeight = 22.0F, kLinePitch = 26.0F, kGap = 2.0F, kPadding = 4.0F;
  static constexpr float kMargin = 8.0F, kTop = 4.0F;  ///< of the canvas around the lines
  using Measure = std::function<float(const std::string&)>;

  /// Lays out what is new; everything again if the width changed or tokens went.
  void update(const StripText& text, float width, const Measure& measure);
  void reset();

  [[nodiscard]] std::int64_t lines() const { return static_cast<std::int64_t>(m_lines.size()); }
  [[nodiscard]] std::int64_t tokens() const { return static_cast<std::int64_t>(m_widths.size()); }
  [[nodiscard]] float height() const { return static_cast<float>(lines()) * kLinePitch; }
  [[nodiscard]] std::int64_t lineOf(std::int64_t token) const;
  [[nodiscard]] trace::TokenRange tokensOf(std::int64_t line) const;
  /// Label of the sequence that begins on the line; empty on other lines.
  [[nodiscard]] const std::string& labelOf(std::int64_t line) const;

  struct Box {
    std::int64_t token = 0;
    float left = 0, width = 0;
  };
  /// The boxes of a line, from the left edge of the strip.
  [[nodiscard]] std::vector<Box> boxes(std::int64_t line) const;
  [[nodiscard]] std::optional<Box> boxOf(std::int64_t token) const;
  /// Where the next token would stand.
  [[nodiscard]] float endOfLine(std::int64_t line) const;

 private:
  struct Line {
    std::int64_t firstToken = 0;
    float start = 0;  ///< where the first box begins, after a label
    std::string label;
  };

  std::vector<Line> m_lines;
  std::vector<float> m_widths;    ///< [tokens] of the boxes
  std::vector<float> m_idWidths;  ///< by token id; < 0: not measured
  float m_lineEnd = 0;
  float m_width = 0;
};

}  // namespace moescope::views
