// TokenPicture: what the maps of tokens show (tokens x experts of a layer, tokens x layers) for a range of
// rows, computed from a trace off the GUI thread. Not for drawing.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "views/panels/routing_map/map_settings.h"
#include "views/panels/routing_map/steering_history.h"

namespace moescope::views {

struct TokenPictureRequest {
  trace::RunId run = 0;
  MapMode mode = MapMode::TokenExpert;
  figure::TokenValue value = figure::TokenValue::Weight;
  int router = 0;            ///< TokenExpert: whose experts
  trace::TokenRange tokens;  ///< cut to the rows that have routing; the first is rounded down to `step`
  std::int64_t step = 1;     ///< tokens a row of the picture, a power of two
  bool operator==(const TokenPictureRequest&) const = default;
};

/// A row of several tokens shows means over its tokens: of the weight (0 where not chosen), of the logit, of
/// the entropy; for ranks the best one.
struct TokenPicture {
  TokenPictureRequest request;
  std::int64_t firstToken = 0, endToken = 0;
  int rows = 0, columns = 0;
  std::vector<float> values;           ///< [rows, columns]; NaN: not chosen, or no data
  std::vector<char> missing;           ///< [rows] 1: lost to a damaged block
  float largest = 0.0F, least = 0.0F;  ///< of the values; 0 without any

  // Facts for rows of one token; empty where step > 1.
  std::vector<std::string> texts;       ///< [rows] real bytes
  std::vector<float> logProbs;          ///< [rows]
  std::vector<char> prefill;            ///< [rows]
  std::vector<std::int32_t> sequences;  ///< [rows]
  std::vector<std::int32_t> positions;  ///< [rows] in the sequence; -1 where damaged
  SteeringHistory steering;
  /// Blocks behind the rows by [router - firstRouter][block - firstBlock]; null where there is none.
  int firstRouter = 0;
  std::int64_t firstBlock = 0;
  std::vector<std::vector<std::shared_ptr<const trace::RouteBlock>>> routes;
  std::vector<std::vector<std::shared_ptr<const trace::LogitBlock>>> logits;

  [[nodiscard]] bool contains(std::int64_t token) const { return token >= firstToken && token < endToken; }
  [[nodiscard]] int rowOf(std::int64_t token) const {
    return static_cast<int>((token - firstToken) / request.step);
  }
  [[nodiscard]] float value(int row, int column) const {
    return values[static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) +
                  static_cast<std::size_t>(column)];
  }
};

/// Values are those of figure::tokenExpertFigure and tokenLayerFigure where step is 1. Returns what it has
/// when `stop` is requested.
TokenPicture tokenPicture(const trace::TraceStore& store, const TokenPictureRequest& request,
                          std::stop_token stop = {});

/// One token at one router as tool tips tell it.
struct TokenChoice {
  bool routed = false;
  int rank = 0;  ///< 1 = first; 0 = not chosen
  int chosenCount = 0;
  float weight = trace::kMissing, logit = trace::kMissing;
  std::vector<int> chosen, native;  ///< ids in order of choice; native empty where no rule was on the layer
};
TokenChoice choiceOf(const TokenPicture& picture, std::int64_t token, int router, int expert);

}  // namespace moescope::views
