// Series collection: runs the analyses whose metrics stand beside each other along a series of checkpoints.
// Not for drawing them (core/figure/series_figures.h).
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "core/analysis/series_metrics.h"
#include "core/plugin/analysis_runner.h"

namespace moescope::plugin {

struct SeriesRequest {
  std::string name;              ///< shown
  std::string series;            ///< number or name; empty: the only one
  std::string estimator = "q1";  ///< of the congestion fit
  int draws = 1000;              ///< bootstrap draws over texts; 0: no intervals
};

struct SeriesCallbacks {
  ProgressCallback progress;                                    ///< may be empty
  std::function<void(const analysis::SeriesMetrics&)> partial;  ///< after each step; may be empty
  std::stop_token stop;
};

/// Load balance and loss, saturation and churn, mutual information of expert and label, and the congestion
/// fit with its phases, in this order. An analysis that cannot be done (no labels, too few checkpoints) is
/// left out with a note. Errors: those of chosenRuns(), `cancelled`, and the first analysis's if every one
/// fails.
Result<analysis::SeriesMetrics> collectSeries(const PluginHost& host, trace::TraceStore& store,
                                              const SeriesRequest& request,
                                              const SeriesCallbacks& callbacks = {});

}  // namespace moescope::plugin
