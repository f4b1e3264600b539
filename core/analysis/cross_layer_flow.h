// Cross-layer flow: how much the expert of one layer says about the expert of a later one, and the flow's
// larger streams (OLMoE, arXiv:2409.02060, figure 35). Not for placing experts on devices.
#pragma once

#include <span>
#include <vector>

#include "core/analysis/expert_transitions.h"

namespace moescope::analysis {

struct FlowSummary {
  double mutualInformation = 0.0;      ///< I(e_a; e_b), nat, plug-in
  double bias = 0.0;                   ///< (a - 1)(b - 1) / 2N over experts that were chosen, nat
  double normalizedInformation = 0.0;  ///< I / H(e_b)
  double meanMax = 0.0;                ///< mean over chosen i of max_j P(j | i)
  double weightedMax = 0.0;            ///< the same weighted by load: how often the best guess is right
  double guessWithout = 0.0;           ///< max_j P(j): the best guess that does not look at i
};
/// All NaN without a token; the normalised value also where the later layer has one live expert only.
FlowSummary flowSummary(const ExpertTransitions& transitions);

/// Load-weighted mean of the mass of the r likeliest next experts, and the mass of the r most loaded ones.
struct Coverage {
  double known = 0.0;
  double unknown = 0.0;
};
Coverage coverage(const ExpertTransitions& transitions, int r);

/// One stream between shown nodes. -1 stands for all experts of that layer that are not shown by themselves.
struct FlowStream {
  int fromExpert = -1, toExpert = -1;
  double tokens = 0.0;
};
/// Nodes with a share above 1.5 / M are shown, the others merged (OLMoE's code). Streams without tokens are
/// left out; from expert ascending, merged last.
std::vector<FlowStream> flowStreams(const ExpertTransitions& transitions);

}  // namespace moescope::analysis
