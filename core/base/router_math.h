// The scalar mathematics of a router in float32: scores, top-k, weights. Not for tensors.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/router_spec.h"

namespace moescope {

// Functions with an `out` argument do not allocate. An empty `allowed` allows every expert.

/// softmax in float32 with the maximum subtracted; -inf gives 0. `out` may be `values`.
void softmax(std::span<const float> values, std::span<float> out);
std::vector<float> softmax(std::span<const float> values);

/// Scores s from raw logits: softmax over all, sigmoid each, or the logits where the weights are formed after
/// the choice.
void scoresOf(std::span<const float> logits, ScoreKind kind, std::span<float> out);
std::vector<float> scoresOf(std::span<const float> logits, ScoreKind kind);

/// Turns scores into selection keys: adds the bias, where there is one.
void addSelectionBias(std::span<float> scores, const RouterSpec& router);

/// Takes the experts of all but the best groups out of the ranking: -inf, or 0 where the model does so.
/// Experts that are not allowed do not count for their group; ties by the lower group. Nothing without
/// groups.
void maskGroups(std::span<float> keys, const RouterGroups& groups, const std::vector<bool>& allowed);

/// Writes the indices of the largest keys among the allowed, descending, ties by lower id; returns how many
/// there were, at most ids.size(). NaN ranks last.
std::size_t topK(std::span<const float> keys, const std::vector<bool>& allowed, std::span<std::int32_t> ids);
std::vector<std::int32_t> topK(std::span<const float> keys, const std::vector<bool>& allowed, int k);

/// What the model's own rule makes of a choice, before the routed scaling: gathered (or softmax over the
/// chosen logits, or sparsemixer's chain), then its normalisation. `out` is [ids.size()].
void nativeWeights(std::span<const float> logits, std::span<const float> scores,
                   std::span<const std::int32_t> ids, const RouterSpec& router,
                   const std::vector<bool>& allowed, std::span<float> out);
std::vector<float> nativeWeights(std::span<const float> logits, std::span<const float> scores,
                                 std::span<const std::int32_t> ids, const RouterSpec& router,
                                 const std::vector<bool>& allowed);

/// The number that the native normalisation divides by.
float normDivisor(std::span<const float> weights, const RouterSpec& router);

}  // namespace moescope
