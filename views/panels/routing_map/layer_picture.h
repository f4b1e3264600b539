// LayerPicture: what the map of layers and experts shows, computed from a trace off the GUI thread.
// Not for drawing; its values are those of the figure that is exported.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "core/figure/figure_builders.h"

namespace moescope::views {

struct LayerPicture {
  figure::FigureSpec figure;  ///< map [layers, experts] by expert id, sample line, baseline
  std::string runName;
  trace::CaptureLevel capture = trace::CaptureLevel::None;
  std::vector<RouterSpec> routers;        ///< [layers]
  std::vector<trace::LoadSummary> loads;  ///< [layers] over `tokens`
  std::vector<double> maxVio;             ///< [layers]; NaN without choices
  /// [layers] experts that the run's newest token chose; empty where `tokens` ends before it.
  std::vector<std::vector<int>> newest;
  trace::TokenRange tokens;
};

/// Errors: those of figure::routingMapFigure.
Result<LayerPicture> layerPicture(const trace::TraceStore& store, trace::RunId run, trace::TokenRange tokens,
                                  figure::LoadValue value, std::stop_token stop = {});

}  // namespace moescope::views
