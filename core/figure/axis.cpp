#include "core/figure/axis.h"

#include <cmath>
#include <limits>

namespace moescope::figure {

namespace {

constexpr double kSlack = 1e-9;

}  // namespace

double axisPart(const Axis& axis, double value) {
  const bool zeroApart = axis.kind == AxisKind::LogZero;
  if (zeroApart && value == 0.0) return kZeroPart;
  if (!zeroApart && axis.kind != AxisKind::Log10) return (value - axis.min) / (axis.max - axis.min);
  if (!(value > 0.0) || !(axis.min > 0.0)) return std::numeric_limits<double>::quiet_NaN();
  const double low = std::log(axis.min);
  const double part = (std::log(value) - low) / (std::log(axis.max) - low);
  return zeroApart ? kLogPart + (1.0 - kLogPart) * part : part;
}

bool onAxis(const Axis& axis, double value) {
  const double part = axisPart(axis, value);
  return part >= -kSlack && part <= 1.0 + kSlack;
}

std::span<const FigurePanel> panelsOf(const FigureSpec& spec) {
  if (spec.panels.empty()) return {static_cast<const FigurePanel*>(&spec), 1};
  return spec.panels;
}

const Axis& xAxisOf(const FigureSpec& spec, const FigurePanel& panel) {
  return spec.sharedX ? spec.x : panel.x;
}

const Axis& yAxisOf(const FigureSpec& spec, const FigurePanel& panel) {
  return spec.sharedY ? spec.y : panel.y;
}

std::string panelLetter(std::size_t index) {
  std::string letters;
  for (++index; index > 0; index = (index - 1) / 26) {
    letters.insert(letters.begin(), static_cast<char>('a' + (index - 1) % 26));
  }
  return letters;
}

}  // namespace moescope::figure
