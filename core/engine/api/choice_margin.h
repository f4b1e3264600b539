// Margins of a router's choices against the rounding of weights: whether rounding explains another set.
// Not for choosing (router_math).
#pragma once

#include <span>

#include "core/base/router_spec.h"
#include "core/engine/api/engine.h"

namespace moescope::engine {

/// Between the last chosen and the first not chosen of `ranked` [experts], what a router ranks; infinite
/// where all are chosen, or where nothing else is finite.
double choiceMargin(std::span<const float> ranked, int topK);

/// How far rounding to `type` may move two of these raw logits [experts] towards each other: each by one unit
/// roundoff (2^-8 of BF16, 2^-11 of F16, 2^-24 else) of the largest magnitude. What is ranked moves no
/// further, since neither softmax nor sigmoid is steeper than 1 in a logit.
double roundingOfMargin(std::span<const float> logits, Dtype type);

}  // namespace moescope::engine
