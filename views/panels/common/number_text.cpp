#include "views/api/number_text.h"

#include <array>
#include <cstdlib>
#include <span>

namespace moescope::views {

namespace {

constexpr QChar kThinSpace(0x2009);
constexpr int kFirstGroupedDigits = 5;

QString scaled(double value, double base, std::span<const char* const> units, int wholeDecimals) {
  std::size_t unit = 0;
  while (value >= base && unit + 1 < units.size()) {
    value /= base;
    ++unit;
  }
  const int decimals = unit == 0 ? 0 : wholeDecimals;
  return QString::number(value, 'f', decimals) + kThinSpace + QString::fromLatin1(units[unit]);
}

}  // namespace

QString countText(std::int64_t count) {
  QString digits = QString::number(std::llabs(count));
  if (digits.size() >= kFirstGroupedDigits) {
    for (auto at = digits.size() - 3; at > 0; at -= 3) digits.insert(at, kThinSpace);
  }
  return count < 0 ? QChar(0x2212) + digits : digits;
}

QString bytesText(std::int64_t bytes) {
  static constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
  return scaled(static_cast<double>(bytes), 1024.0, units, 1);
}

QString parametersText(std::int64_t parameters) {
  static constexpr std::array units{"", "k", "M", "B", "T"};
  return scaled(static_cast<double>(parameters), 1000.0, units, 2);
}

}  // namespace moescope::views
