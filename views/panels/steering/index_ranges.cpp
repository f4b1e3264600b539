#include "views/panels/steering/index_ranges.h"

#include <QObject>
#include <QRegularExpression>
#include <QStringList>

#include <algorithm>

namespace moescope::views {

namespace {

/// Far above any router; keeps "0-999999999" from filling the memory.
constexpr int kMostIndex = 99999;

constexpr QChar kDash(0x2013);

}  // namespace

QString rangesText(std::vector<std::int32_t> indices) {
  std::ranges::sort(indices);
  indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
  QStringList parts;
  for (std::size_t first = 0; first < indices.size();) {
    std::size_t last = first;
    while (last + 1 < indices.size() && indices[last + 1] == indices[last] + 1) ++last;
    parts << (last == first ? QString::number(indices[first])
                            : QString::number(indices[first]) + kDash + QString::number(indices[last]));
    first = last + 1;
  }
  return parts.join(QStringLiteral(", "));
}

tl::expected<std::vector<std::int32_t>, QString> parseRanges(const QString& text) {
  static const QRegularExpression pattern(QStringLiteral("^(\\d{1,9})(?:\\s*[-\u2013]\\s*(\\d{1,9}))?$"));
  static const QRegularExpression commas(QStringLiteral("\\s*[,;]\\s*"));
  std::vector<std::int32_t> indices;
  if (text.trimmed().isEmpty()) return indices;
  for (const QString& part : text.trimmed().split(commas)) {
    const auto match = pattern.match(part);
    if (!match.hasMatch()) {
      return tl::unexpected(
          QObject::tr("“%1” is not a number or a range such as 0%2%3.").arg(part).arg(kDash).arg(3));
    }
    const int first = match.captured(1).toInt();
    const int last = match.captured(2).isEmpty() ? first : match.captured(2).toInt();
    if (last > kMostIndex) return tl::unexpected(QObject::tr("%1 is too large.").arg(last));
    if (last < first) return tl::unexpected(QObject::tr("%1 ends before it starts.").arg(part));
    for (int index = first; index <= last; ++index) indices.push_back(index);
  }
  std::ranges::sort(indices);
  indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
  return indices;
}

}  // namespace moescope::views
