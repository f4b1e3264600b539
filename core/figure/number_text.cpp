#include "core/figure/number_text.h"

#include <array>
#include <cmath>

#include <fmt/format.h>

namespace moescope::figure {

namespace {

constexpr std::size_t kFirstGroupedDigits = 5;

void groupThousands(std::string& digits) {
  const std::size_t point = digits.find('.');
  const std::size_t whole = point == std::string::npos ? digits.size() : point;
  if (whole < kFirstGroupedDigits) return;
  for (std::size_t at = whole; at > 3;) {
    at -= 3;
    digits.insert(at, kThinSpace);
  }
}

}  // namespace

std::string decimalText(double value, int decimals) {
  if (std::isnan(value)) return "–";
  if (std::isinf(value)) return value < 0.0 ? std::string(kMinus) + "∞" : "∞";
  std::string digits = fmt::format("{:.{}f}", std::abs(value), decimals);
  // "−0.00" would claim a sign that the shown digits do not have.
  const bool negative = value < 0.0 && digits.find_first_not_of("0.") != std::string::npos;
  groupThousands(digits);
  return negative ? kMinus + digits : digits;
}

std::string countText(std::int64_t value) {
  const bool negative = value < 0;
  const std::uint64_t size =
      negative ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  std::string digits = fmt::format("{}", size);
  groupThousands(digits);
  return negative ? kMinus + digits : digits;
}

std::string magnitudeText(double value) {
  if (!std::isfinite(value)) return decimalText(value, 0);
  static constexpr std::array<const char*, 5> kNames{"", "k", "M", "B", "T"};
  double size = std::abs(value);
  std::size_t step = 0;
  // 999.5 and more would be written with four digits.
  for (; size >= 999.5 && step + 1 < kNames.size(); ++step) size /= 1000.0;
  const int decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  std::string digits = fmt::format("{:.{}f}", size, decimals);
  if (decimals > 0) digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
  const std::string unit = step > 0 ? kThinSpace + std::string(kNames[step]) : "";
  return (value < 0.0 && digits != "0" ? kMinus : "") + digits + unit;
}

std::string ratioText(double ratio) { return decimalText(ratio, 2) + "×"; }

std::string percentText(double share) { return decimalText(share * 100.0, 2) + kThinSpace + "%"; }

std::string tokenRangeText(std::int64_t begin, std::int64_t end) {
  if (end <= begin) return "no tokens";
  if (end == begin + 1) return "token " + countText(begin);
  return "tokens " + countText(begin) + "–" + countText(end - 1);
}

}  // namespace moescope::figure
