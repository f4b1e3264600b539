// Ticks: round values for axes and colour bars with their labels. Not for drawing them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/figure/figure_spec.h"

namespace moescope::figure {

using Tick = std::pair<double, std::string>;

/// Multiples of 1, 2 or 5 times a power of ten inside [min, max], at most `most` of them (at least 2 asked
/// for), ends included where they are round. Empty if the range is empty or not finite.
std::vector<double> niceTicks(double min, double max, int most);
/// The same with labels of equal decimals; `suffix` follows each number.
std::vector<Tick> labelledTicks(double min, double max, int most, const std::string& suffix = {});
/// Whole numbers only, for layers, experts and tokens.
std::vector<Tick> wholeTicks(double min, double max, int most);
/// Experts 0 … count - 1: multiples of a power of two and the last one, at most `most` + 1 ticks.
std::vector<Tick> expertTicks(int count, int most);
/// Powers of two inside [min, max]: "¼×", "½×", "1×", "2×"; without the sign if `sign` is false.
std::vector<Tick> ratioTicks(double min, double max, bool sign);
/// "¼", "1.5", "3.12": a ratio, short where it is a power of two.
std::string shortRatioText(double ratio);
/// Powers of ten inside [min, max], min > 0, with their labels ("1", "10", "1 k", "1 M"), at most about
/// `most`: with 2 and 5 times them where they are few, thinned where they are many.
std::vector<Tick> decadeTicks(double min, double max, int most, const std::string& suffix = {});
/// The ticks of an axis inside its range: those given, or chosen by its kind. `whole`: whole numbers only. A
/// linear axis has two at least, even where that is more than `most`.
std::vector<Tick> axisTicks(const Axis& axis, int most, bool whole);
/// Ticks of a colour bar in real values: ratio ticks on a log2 scale, else labelled ticks.
std::vector<Tick> scaleTicks(const ColourScale& scale, int most, bool ratioSign);

}  // namespace moescope::figure
