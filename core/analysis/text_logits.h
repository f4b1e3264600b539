// TextLogits: the recorded router logits of one router, ordered by resampling unit.
// Not for runs below capture full, which have none.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "core/trace/trace_store.h"

namespace moescope::analysis {

struct TextLogits {
  int experts = 0;
  std::vector<std::int32_t> texts;                 ///< [rows] unit of each row
  std::vector<float> logits;                       ///< [rows, experts]
  std::vector<std::vector<std::uint16_t>> chosen;  ///< [rows] ids in selection order

  [[nodiscard]] std::size_t rows() const { return texts.size(); }
  [[nodiscard]] std::span<const float> row(std::size_t index) const {
    const auto width = static_cast<std::size_t>(experts);
    return std::span(logits).subspan(index * width, width);
  }
};

/// Rows whose sequence has a unit (`unitOf` [sequence ordinal], -1: none) and whose logits are finite.
/// Empty if the run has no logits; what was read so far when `stop` is requested.
TextLogits readTextLogits(const trace::TraceStore& store, trace::RunId run, int router,
                          std::span<const int> unitOf, std::stop_token stop);

}  // namespace moescope::analysis
