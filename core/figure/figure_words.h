// The words of a figure's document for its enumerations, and its limits. Private to reader and writer.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace moescope::figure {

/// 2 added panels, kinds of axes, markers, bands, intervals of bars and side columns; every key of 1 stayed.
inline constexpr int kFigureVersion = 2;

inline constexpr std::array<std::string_view, 3> kThemes{"print", "light", "dark"};
inline constexpr std::array<std::string_view, 4> kMaps{"cividis", "viridis", "greys", "diverging"};
inline constexpr std::array<std::string_view, 3> kScales{"linear", "sqrt", "log2"};
inline constexpr std::array<std::string_view, 5> kMarks{"banned", "boosted", "dampened", "pinned",
                                                        "layer_rule"};
inline constexpr std::array<std::string_view, 4> kAxisKinds{"linear", "log10", "log_zero", "category"};
inline constexpr std::array<std::string_view, 10> kMarkers{
    "automatic", "none", "circle", "square", "triangle", "diamond", "down", "cross", "ring", "tick"};
inline constexpr std::array<std::string_view, 5> kDashes{"automatic", "solid", "dashed", "dotted",
                                                         "dash_dotted"};

template <class Enum, std::size_t N>
std::optional<Enum> enumFrom(const std::array<std::string_view, N>& words, std::string_view word) {
  for (std::size_t i = 0; i < N; ++i) {
    if (words[i] == word) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

template <class Enum, std::size_t N>
std::string wordOf(const std::array<std::string_view, N>& words, Enum value) {
  return std::string(words[static_cast<std::size_t>(value)]);
}

}  // namespace moescope::figure
