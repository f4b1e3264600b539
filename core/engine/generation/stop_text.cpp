#include "core/engine/generation/stop_text.h"

#include <algorithm>

namespace moescope::engine {

StopText::StopText(std::vector<std::string> stopStrings) : m_stops(std::move(stopStrings)) {
  std::erase(m_stops, std::string());
  for (const auto& stop : m_stops) m_longest = std::max(m_longest, stop.size());
}

std::string StopText::push(std::string_view text) {
  if (m_found) return {};
  // A stop string may have begun in the text before; it cannot have ended there.
  const std::size_t before = m_text.size();
  const std::size_t from = before >= m_longest ? before - m_longest + (m_longest > 0 ? 1 : 0) : 0;
  m_text += text;
  std::size_t cut = std::string::npos;
  for (const auto& stop : m_stops) cut = std::min(cut, m_text.find(stop, from));
  if (cut != std::string::npos) {
    m_found = true;
    m_text.resize(cut);
    return flush();
  }
  const std::size_t end = std::max(m_shown, m_text.size() - keptBack());
  std::string shown = m_text.substr(m_shown, end - m_shown);
  m_shown = end;
  return shown;
}

std::string StopText::flush() {
  std::string shown = m_shown < m_text.size() ? m_text.substr(m_shown) : std::string();
  m_shown = std::max(m_shown, m_text.size());
  return shown;
}

std::size_t StopText::keptBack() const {
  std::size_t kept = 0;
  for (const auto& stop : m_stops) {
    for (std::size_t length = std::min(stop.size() - 1, m_text.size()); length > kept; --length) {
      if (std::string_view(m_text).ends_with(std::string_view(stop).substr(0, length))) {
        kept = length;
        break;
      }
    }
  }
  return kept;
}

}  // namespace moescope::engine
