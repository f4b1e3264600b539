#include "views/panels/routing_map/layer_picture.h"

#include <algorithm>

#include "core/analysis/load_metrics.h"

namespace moescope::views {

Result<LayerPicture> layerPicture(const trace::TraceStore& store, trace::RunId run, trace::TokenRange tokens,
                                  figure::LoadValue value, std::stop_token stop) {
  LayerPicture picture;
  const auto record = store.run(run);
  if (record) {
    picture.runName = record->name;
    picture.capture = record->capture;
    // Rows may be appended meanwhile: everything below is of the same range.
    tokens.end = std::min(tokens.end, record->routedTokens);
  }
  auto figure = figure::routingMapFigure({store, run, tokens}, value, stop);
  if (!figure) return fail(figure.error());
  picture.figure = *std::move(figure);
  picture.tokens = tokens;
  picture.routers = store.routers(run);
  for (int router = 0; router < static_cast<int>(picture.routers.size()); ++router) {
    picture.loads.push_back(store.load(run, router, tokens, stop));
    const trace::LoadSummary& load = picture.loads.back();
    picture.maxVio.push_back(analysis::loadMetrics(load.counts, load.tokens).maxVio);
  }
  if (stop.stop_requested()) return fail("cancelled", "", "", "the picture was cancelled");
  return picture;
}

}  // namespace moescope::views
