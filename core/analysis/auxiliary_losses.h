// Auxiliary losses of router training, computed from recorded routing: load-balance loss and z-loss.
// Not for load metrics (load_metrics.h), and no gradients.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace moescope::analysis {

/// One sum over experts in its two usual scales. Not a pure load metric: it can be below the balanced value
/// where load and probability are anti-correlated.
struct BalanceLoss {
  double switchForm = 0.0;  ///< M sum_i m_i P_i, 1 at balance (Switch Transformer, arXiv:2101.03961 eq. 4-6)
  double summedForm = 0.0;  ///< M sum_i f_i P_i, K at balance (Hugging Face, OLMoE's analysis script)
};

/// `counts` [experts], `tokens` with a decision, `probabilitySum` [experts] over `probabilityTokens` tokens.
/// NaN if there is no token, no choice or no probability.
BalanceLoss balanceLoss(std::span<const double> counts, double tokens, std::span<const double> probabilitySum,
                        double probabilityTokens);

/// (log sum exp z)^2 of one token's raw logits (router z-loss, ST-MoE, arXiv:2202.08906 eq. 5).
double squaredLogSumExp(std::span<const float> logits);

}  // namespace moescope::analysis
