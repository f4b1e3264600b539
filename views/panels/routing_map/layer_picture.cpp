#include "views/panels/routing_map/layer_picture.h"

#include <algorithm>

#include "core/analysis/load_metrics.h"

namespace moescope::views {

namespace {

std::vector<int> chosenAt(const trace::TraceStore& store, trace::RunId run, int router, std::int64_t token) {
  std::vector<int> chosen;
  const auto block = store.routeBlock(run, router, token / trace::kBlockTokens);
  const auto row = static_cast<std::size_t>(token % trace::kBlockTokens);
  if (!block || block->damaged || row >= static_cast<std::size_t>(block->count)) return chosen;
  const auto width = static_cast<std::size_t>(block->width);
  for (std::size_t slot = 0; slot < width; ++slot) {
    if (const std::uint16_t id = block->ids[row * width + slot]; id != trace::kEmptySlot)
      chosen.push_back(id);
  }
  return chosen;
}

}  // namespace

Result<LayerPicture> layerPicture(const trace::TraceStore& store, trace::RunId run, trace::TokenRange tokens,
                                  figure::LoadValue value, std::stop_token stop) {
  LayerPicture picture;
  const auto record = store.run(run);
  const std::int64_t newest = record ? record->routedTokens - 1 : -1;
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
    const bool shown = newest >= tokens.begin && newest < tokens.end;
    picture.newest.push_back(shown ? chosenAt(store, run, router, newest) : std::vector<int>());
    picture.maxVio.push_back(analysis::loadMetrics(load.counts, load.tokens).maxVio);
  }
  if (stop.stop_requested()) return fail("cancelled", "", "", "the picture was cancelled");
  return picture;
}

}  // namespace moescope::views
