// Map settings: what a routing map shows (mode, value, window, layer) and the tokens that a window stands
// for. Not for how it is zoomed (map_geometry.h).
#pragma once

#include <cstdint>
#include <string>

#include "core/figure/figure_builders.h"

namespace moescope::views {

enum class MapMode : std::uint8_t { LayerExpert, TokenExpert, TokenLayer };

struct MapWindow {
  enum class Kind : std::uint8_t { WholeRun, Selection, Last, Prefill, Decode };
  Kind kind = Kind::WholeRun;
  std::int64_t tokens = 0;  ///< Last: how many
  bool operator==(const MapWindow&) const = default;
};

struct MapSettings {
  MapMode mode = MapMode::LayerExpert;
  figure::LoadValue loadValue = figure::LoadValue::LoadRatio;
  figure::TokenValue expertValue = figure::TokenValue::Weight;  ///< of TokenExpert
  figure::TokenValue layerValue = figure::TokenValue::Weight;   ///< of TokenLayer
  MapWindow window;                                             ///< of LayerExpert
  int router = 0;                                               ///< of TokenExpert
  bool operator==(const MapSettings&) const = default;

  [[nodiscard]] figure::TokenValue tokenValue() const {
    return mode == MapMode::TokenLayer ? layerValue : expertValue;
  }
};

/// Rows that a window covers when `end` rows have routing. `promptTokens` rows of the run are prompt
/// (prefill); an empty selection gives an empty range.
trace::TokenRange windowRange(const MapWindow& window, std::int64_t end, trace::TokenRange selection,
                              std::int64_t promptTokens);

/// "Load share ÷ uniform", "Gate weight": in lists of choices.
std::string label(figure::LoadValue value);
std::string label(figure::TokenValue value, MapMode mode);
/// Whether a run of this capture level has the value.
bool isRecorded(figure::TokenValue value, trace::CaptureLevel capture);

}  // namespace moescope::views
