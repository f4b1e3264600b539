// Numbers as figures and pictures write them (ui.md 2.2): true minus, thin spaces, fixed decimals.
// Not for files, which hold plain numbers.
#pragma once

#include <cstdint>
#include <string>

namespace moescope::figure {

inline constexpr const char* kThinSpace = "\u2009";
inline constexpr const char* kMinus = "\u2212";

/// "−0.12", "15 928.0": thin spaces between thousands from five digits on. "–" for NaN.
std::string decimalText(double value, int decimals);
/// "15 928".
std::string countText(std::int64_t value);
/// "5 k", "35 k", "1.2 M", "147 B": at most three digits, for steps and tokens seen. "0" and up to 999 as
/// they are.
std::string magnitudeText(double value);
/// "3.12×".
std::string ratioText(double ratio);
/// A share as "1.56 %", two decimals.
std::string percentText(double share);
/// "tokens 46–173": the rows of a half-open range with both ends named.
std::string tokenRangeText(std::int64_t begin, std::int64_t end);

}  // namespace moescope::figure
