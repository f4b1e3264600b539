#include "core/figure/ticks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "core/figure/axis.h"
#include "core/figure/colour_map.h"
#include "core/figure/number_text.h"

namespace moescope::figure {

namespace {

/// Part of a step by which a tick may miss an end through rounding.
constexpr double kSlack = 1e-9;
constexpr int kFinerSteps = 4;
constexpr int kMostDecimals = 12;
constexpr double kMostExact = 9007199254740992.0;  // 2^53

/// The smallest of 1, 2, 5 x 10^n that is at least `least`.
double roundStep(double least) {
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least * (1.0 - kSlack)) return factor * power;
  }
  return 10.0 * power;
}

int decimalsOf(double step) {
  return std::clamp(static_cast<int>(-std::floor(std::log10(step) + kSlack)), 0, kMostDecimals);
}

double stepOf(double min, double max, int most) {
  // A range may hold one more multiple than its length in steps.
  return roundStep((max - min) / std::max(1, most - 1));
}

std::vector<double> multiples(double min, double max, double step) {
  std::vector<double> ticks;
  const double first = std::ceil(min / step - kSlack);
  const double last = std::floor(max / step + kSlack);
  // Where the steps are finer than a double's digits there are no ticks to count.
  if (!(std::max(std::abs(first), std::abs(last)) < kMostExact)) return ticks;
  for (auto i = static_cast<std::int64_t>(first); i <= static_cast<std::int64_t>(last); ++i)
    ticks.push_back(static_cast<double>(i) * step);
  return ticks;
}

bool usable(double min, double max) { return min < max && std::isfinite(max - min); }

std::vector<Tick> withLabels(const std::vector<double>& places, int decimals, const std::string& suffix) {
  std::vector<Tick> ticks;
  ticks.reserve(places.size());
  for (const double place : places) ticks.emplace_back(place, decimalText(place, decimals) + suffix);
  return ticks;
}

/// "0.001", "20", "1 k"; powers where neither would be short.
std::string logTickText(double value) {
  if (value >= 1.0 && value < 1e15) return magnitudeText(value);
  const double power = std::floor(std::log10(value) + kSlack);
  if (value < 1.0 && power >= -4) return decimalText(value, static_cast<int>(-power));
  static constexpr std::array<const char*, 10> kRaised{"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string raised = power < 0 ? "⁻" : "";
  for (const char digit : std::to_string(static_cast<int>(std::abs(power)))) {
    raised += kRaised[static_cast<std::size_t>(digit - '0')];
  }
  const double factor = std::round(value / std::pow(10.0, power));
  return (factor == 1.0 ? "" : decimalText(factor, 0) + "·") + "10" + raised;
}

}  // namespace

std::vector<double> niceTicks(double min, double max, int most) {
  if (!usable(min, max)) return {};
  return multiples(min, max, stepOf(min, max, most));
}

std::vector<Tick> labelledTicks(double min, double max, int most, const std::string& suffix) {
  if (!usable(min, max)) return {};
  const double step = stepOf(min, max, most);
  return withLabels(multiples(min, max, step), decimalsOf(step), suffix);
}

std::vector<Tick> wholeTicks(double min, double max, int most) {
  if (!usable(min, max)) return {};
  return withLabels(multiples(min, max, std::max(1.0, stepOf(min, max, most))), 0, {});
}

std::vector<Tick> expertTicks(int count, int most) {
  int step = 1;
  while (count > step * std::max(1, most)) step *= 2;
  std::vector<Tick> ticks;
  for (int expert = 0; expert < count; expert += step) ticks.emplace_back(expert, decimalText(expert, 0));
  if (count > 1 && step > 1) {
    // The last expert takes the place of a multiple that stands too close to it.
    if (count - 1 - ticks.back().first < 0.6 * step && ticks.size() > 1) ticks.pop_back();
    ticks.emplace_back(count - 1, decimalText(count - 1, 0));
  }
  return ticks;
}

std::string shortRatioText(double ratio) {
  static constexpr std::array<std::pair<double, const char*>, 3> kFractions{
      {{0.5, "½"}, {0.25, "¼"}, {0.125, "⅛"}}};
  for (const auto& [value, text] : kFractions) {
    if (ratio == value) return text;
  }
  if (ratio >= 1.0 && ratio == std::floor(ratio)) return decimalText(ratio, 0);
  const double inverse = ratio > 0.0 ? 1.0 / ratio : 0.0;
  if (inverse > 1.0 && inverse == std::floor(inverse)) return "1/" + decimalText(inverse, 0);
  return decimalText(ratio, 2);
}

std::vector<Tick> ratioTicks(double min, double max, bool sign) {
  std::vector<Tick> ticks;
  if (!usable(min, max) || min <= 0.0) return ticks;
  const int first = static_cast<int>(std::ceil(std::log2(min) - kSlack));
  const int last = static_cast<int>(std::floor(std::log2(max) + kSlack));
  for (int power = first; power <= last; ++power) {
    const double ratio = std::exp2(power);
    ticks.emplace_back(ratio, shortRatioText(ratio) + (sign ? "×" : ""));
  }
  return ticks;
}

std::vector<Tick> decadeTicks(double min, double max, int most, const std::string& suffix) {
  std::vector<Tick> ticks;
  if (!usable(min, max) || min <= 0.0) return ticks;
  const int first = static_cast<int>(std::floor(std::log10(min)));
  const int last = static_cast<int>(std::ceil(std::log10(max)));
  // Either several ticks a decade or one in several decades, the closest that has not too many.
  static constexpr std::array<std::array<double, 3>, 3> kFactors{{{1, 2, 5}, {1, 3, 0}, {1, 0, 0}}};
  int factors = 0, stride = 1;
  const double decades = std::log10(max) - std::log10(min);
  if (3 * decades + 1 > most) factors = 1;
  if (2 * decades + 1 > most) factors = 2;
  while (decades / stride + 1 > std::max(2, most)) ++stride;
  for (int decade = first; decade <= last; ++decade) {
    if (decade % stride != 0) continue;
    for (const double factor : kFactors[static_cast<std::size_t>(factors)]) {
      const double value = factor * std::pow(10.0, decade);
      if (factor == 0.0 || value < min * (1.0 - kSlack) || value > max * (1.0 + kSlack)) continue;
      ticks.emplace_back(value, logTickText(value) + suffix);
    }
  }
  return ticks;
}

std::vector<Tick> axisTicks(const Axis& axis, int most, bool whole) {
  std::vector<Tick> ticks = axis.ticks;
  const bool log = axis.kind == AxisKind::Log10 || axis.kind == AxisKind::LogZero;
  if (ticks.empty() && log) {
    ticks = decadeTicks(axis.min, axis.max, axis.kind == AxisKind::LogZero ? most - 1 : most, axis.suffix);
    if (axis.kind == AxisKind::LogZero) ticks.insert(ticks.begin(), {0.0, "0"});
  } else if (ticks.empty() && (whole || axis.kind == AxisKind::Category)) {
    ticks = wholeTicks(axis.min, axis.max, most);
    for (Tick& tick : ticks) tick.second += axis.suffix;
  } else if (ticks.empty()) {
    ticks = labelledTicks(axis.min, axis.max, most, axis.suffix);
    // One number says nothing about a scale: a finer step has two even where few were asked for.
    for (int finer = most + 1; ticks.size() < 2 && finer <= most + kFinerSteps; ++finer)
      ticks = labelledTicks(axis.min, axis.max, finer, axis.suffix);
  }
  std::erase_if(ticks, [&](const Tick& tick) { return !onAxis(axis, tick.first); });
  return ticks;
}

std::vector<Tick> scaleTicks(const ColourScale& scale, int most, bool ratioSign) {
  if (scale.scale == ScaleKind::Log2) return ratioTicks(scale.min, scale.max, ratioSign);
  std::vector<Tick> ticks = labelledTicks(scale.min, scale.max, most);
  if (scale.scale == ScaleKind::Linear) return ticks;
  // Equal steps crowd at the high end of a square-root scale: keep those that stand clear of the last kept.
  std::vector<Tick> clear;
  const double room = 0.7 / std::max(1, most);
  for (const Tick& tick : ticks) {
    if (clear.empty() ||
        scalePosition(scale, tick.first) - scalePosition(scale, clear.back().first) >= room) {
      clear.push_back(tick);
    }
  }
  return clear;
}

}  // namespace moescope::figure
