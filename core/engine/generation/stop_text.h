// StopText: generated text as it grows, cut before the first stop string. Not for tokens: the token
// that completes a stop string stays in the sequence.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace moescope::engine {

class StopText {
 public:
  /// Empty strings are ignored.
  explicit StopText(std::vector<std::string> stopStrings);

  /// Adds text and returns what may be shown now: what could be the beginning of a stop string is
  /// kept back until it is clear.
  std::string push(std::string_view text);
  /// Shows what was kept back. A stop string that began in it is still found later.
  std::string flush();

  [[nodiscard]] bool found() const { return m_found; }
  [[nodiscard]] const std::string& text() const { return m_text; }  ///< all, cut if found

 private:
  [[nodiscard]] std::size_t keptBack() const;

  std::vector<std::string> m_stops;
  std::size_t m_longest = 0;
  std::string m_text;
  std::size_t m_shown = 0;
  bool m_found = false;
};

}  // namespace moescope::engine
