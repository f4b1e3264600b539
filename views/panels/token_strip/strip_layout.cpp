#include "views/panels/token_strip/strip_layout.h"

#include <algorithm>
#include <cmath>

namespace moescope::views {

namespace {

constexpr float kLabelGap = 8.0F;
constexpr float kSmallestBox = 10.0F;
constexpr std::size_t kMostKeptIds = 1 << 20;

}  // namespace

void StripLayout::reset() {
  m_lines.clear();
  m_widths.clear();
  m_idWidths.clear();
  m_lineEnd = 0;
}

void StripLayout::update(const StripText& text, float width, const Measure& measure) {
  if (width != m_width || text.size() < static_cast<std::int64_t>(m_widths.size())) {
    m_lines.clear();
    m_widths.clear();
    m_lineEnd = 0;
    m_width = width;
  }
  const auto boxWidth = [&](std::int64_t token) {
    const auto id = static_cast<std::size_t>(text.ids[static_cast<std::size_t>(token)]);
    const bool kept = id < kMostKeptIds;
    if (kept && id >= m_idWidths.size()) m_idWidths.resize(id + 1, -1.0F);
    if (kept && m_idWidths[id] >= 0.0F) return m_idWidths[id];
    const float box = std::max(kSmallestBox, std::ceil(measure(text.text(token))) + 2.0F * kPadding);
    if (kept) m_idWidths[id] = box;
    return box;
  };
  for (auto token = static_cast<std::int64_t>(m_widths.size()); token < text.size(); ++token) {
    const float box = std::min(boxWidth(token), std::max(kSmallestBox, width));
    const auto sequence = text.breaks.find(token);
    const bool breaks = sequence != text.breaks.end();
    if (m_lines.empty() || breaks || m_lineEnd + box > width) {
      Line line{token, 0.0F, breaks ? sequence->second : std::string()};
      if (breaks) line.start = std::min(width / 2.0F, measure(line.label) + kLabelGap);
      m_lineEnd = line.start;
      m_lines.push_back(std::move(line));
    }
    m_widths.push_back(box);
    m_lineEnd += box + kGap;
  }
}

std::int64_t StripLayout::lineOf(std::int64_t token) const {
  const auto after = std::ranges::upper_bound(m_lines, token, {}, &Line::firstToken);
  return std::max<std::int64_t>(0, (after - m_lines.begin()) - 1);
}

trace::TokenRange StripLayout::tokensOf(std::int64_t line) const {
  if (line < 0 || line >= lines()) return {};
  const auto at = static_cast<std::size_t>(line);
  const std::int64_t end =
      at + 1 < m_lines.size() ? m_lines[at + 1].firstToken : static_cast<std::int64_t>(m_widths.size());
  return {m_lines[at].firstToken, end};
}

const std::string& StripLayout::labelOf(std::int64_t line) const {
  return m_lines[static_cast<std::size_t>(line)].label;
}

std::vector<StripLayout::Box> StripLayout::boxes(std::int64_t line) const {
  std::vector<Box> all;
  const trace::TokenRange tokens = tokensOf(line);
  if (tokens.size() == 0) return all;
  float x = m_lines[static_cast<std::size_t>(line)].start;
  for (std::int64_t token = tokens.begin; token < tokens.end; ++token) {
    const float width = m_widths[static_cast<std::size_t>(token)];
    all.push_back({token, x, width});
    x += width + kGap;
  }
  return all;
}

std::optional<StripLayout::Box> StripLayout::boxOf(std::int64_t token) const {
  if (token < 0 || token >= static_cast<std::int64_t>(m_widths.size())) return std::nullopt;
  for (const Box& box : boxes(lineOf(token))) {
    if (box.token == token) return box;
  }
  return std::nullopt;
}

float StripLayout::endOfLine(std::int64_t line) const {
  const auto all = boxes(line);
  return all.empty() ? 0.0F : all.back().left + all.back().width;
}

}  // namespace moescope::views
