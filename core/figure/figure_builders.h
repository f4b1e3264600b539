// Figure builders: from a recorded run to a FigureSpec that names its sample and its baseline.
// Not for options of people (figure_request.h) or for drawing.
#pragma once

#include <stop_token>

#include "core/analysis/load_measure.h"
#include "core/base/indices.h"
#include "core/figure/figure_spec.h"
#include "core/trace/trace_store.h"

namespace moescope::figure {

/// A range of token rows of one run.
struct FigureSource {
  const trace::TraceStore& store;
  trace::RunId run = 0;
  trace::TokenRange tokens;
};

/// Values of a map of layers and experts, over all tokens of the source.
enum class LoadValue : std::uint8_t {
  LoadRatio,  ///< load share m x experts: 1 is uniform
  LoadShare,  ///< m, sums to 1 over a layer
  Frequency,  ///< f = choices / tokens, sums to k over a layer
  GateRatio,  ///< share of the gate mass x experts
};

/// Values of a map of tokens.
enum class TokenValue : std::uint8_t {
  Weight,   ///< gate weight; in a map of tokens and layers the largest of the token
  Rank,     ///< 1 = chosen first; maps of tokens and experts only
  Logit,    ///< raw router logit, capture full; maps of tokens and experts only
  Entropy,  ///< of the native distribution, nat, capture full; maps of tokens and layers only
};

// All errors: `figure.no_such_run`, `figure.no_routing` (no routed token in the range),
// `figure.no_such_layer`, `figure.not_recorded` (the capture level lacks the value), `figure.too_large`,
// `cancelled`.

/// Layers x experts. The rules in force at the last token are marked.
Result<FigureSpec> routingMapFigure(const FigureSource& source, LoadValue value, std::stop_token stop = {});
/// Tokens x experts of one layer; experts that were not chosen are missing, except with logits.
Result<FigureSpec> tokenExpertFigure(const FigureSource& source, const RouterKey& router, TokenValue value,
                                     std::stop_token stop = {});
/// Tokens x layers.
Result<FigureSpec> tokenLayerFigure(const FigureSource& source, TokenValue value, std::stop_token stop = {});
/// Load of each expert in multiples of uniform, sorted; steered experts are highlighted.
Result<FigureSpec> expertLoadFigure(const FigureSource& source, const RouterKey& router,
                                    std::stop_token stop = {});
/// One metric over a sliding window of tokens, with the tokens at which rules changed.
Result<FigureSpec> loadCourseFigure(const FigureSource& source, const RouterKey& router,
                                    analysis::LoadMeasure measure, std::int64_t windowTokens,
                                    std::stop_token stop = {});

}  // namespace moescope::figure
