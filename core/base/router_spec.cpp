#include "core/base/router_spec.h"

namespace moescope {

std::string_view name(ScoreKind kind) {
  switch (kind) {
    case ScoreKind::SoftmaxAll: return "softmax";
    case ScoreKind::SigmoidAll: return "sigmoid";
    case ScoreKind::TopkSoftmax: return "topk_softmax";
    case ScoreKind::SparseMixer: return "sparsemixer";
  }
  return "unknown";
}

std::string_view name(WeightNorm norm) {
  switch (norm) {
    case WeightNorm::None: return "none";
    case WeightNorm::SumOne: return "sum";
    case WeightNorm::ClampedSum: return "clamped_sum";
    case WeightNorm::Power: return "power";
  }
  return "unknown";
}

std::string_view name(GroupScore score) { return score == GroupScore::Max ? "max" : "top2_sum"; }

}  // namespace moescope
