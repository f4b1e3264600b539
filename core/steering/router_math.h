// The scalar mathematics of a router in float32: scores, top-k, weights. Not for tensors.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/router_spec.h"

namespace moescope::steering {

/// softmax in float32 with the maximum subtracted; -inf gives 0.
std::vector<float> softmax(std::span<const float> values);

/// Scores s from raw logits: softmax over all, sigmoid each, or the logits where the softmax comes after the
/// choice.
std::vector<float> scoresOf(std::span<const float> logits, ScoreKind kind);

/// Indices of the k largest keys among the allowed, descending, ties by lower id.
std::vector<std::int32_t> topK(std::span<const float> keys, const std::vector<bool>& allowed, int k);

/// What the model's own rule makes of a choice, before the routed scaling: gathered (or softmax over the
/// chosen logits), then its normalisation.
std::vector<float> nativeWeights(std::span<const float> logits, std::span<const float> scores,
                                 std::span<const std::int32_t> ids, const RouterSpec& router);

/// Standard normal draw that depends on nothing but its arguments: splitmix64 of a counter, Box-Muller.
float counterNormal(std::uint64_t seed, std::int32_t layer, std::int64_t position, std::int32_t expert);

}  // namespace moescope::steering
