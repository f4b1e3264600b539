#include "core/analysis/text_units.h"

#include <algorithm>

#include <fmt/format.h>

namespace moescope::analysis {

TextUnits textUnits(std::span<const trace::SequenceRecord> sequences) {
  ResamplingUnits units = resamplingUnits(sequences);
  const bool isLong = std::ranges::any_of(
      sequences, [](const trace::SequenceRecord& sequence) { return sequence.length > kWindowTokens; });
  TextUnits out{std::move(units.unitOf), units.units, false, units.description()};
  if (units.texts >= kFewTexts || !isLong) return out;
  out.cut = true;
  out.units = 0;
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    out.first[s] = out.units;
    const std::int64_t windows = (sequences[s].length + kWindowTokens - 1) / kWindowTokens;
    out.units += static_cast<int>(std::max<std::int64_t>(windows, 1));
  }
  out.description = fmt::format("{} windows of {} tokens of {} text{}", out.units, kWindowTokens, units.texts,
                                units.texts == 1 ? "" : "s");
  return out;
}

}  // namespace moescope::analysis
