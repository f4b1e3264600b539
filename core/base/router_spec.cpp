#include "core/base/router_spec.h"

namespace moescope {

std::string_view name(ScoreKind kind) {
  switch (kind) {
    case ScoreKind::SoftmaxAll: return "softmax";
    case ScoreKind::SigmoidAll: return "sigmoid";
    case ScoreKind::TopkSoftmax: return "topk_softmax";
  }
  return "unknown";
}

std::string_view name(WeightNorm norm) {
  switch (norm) {
    case WeightNorm::None: return "none";
    case WeightNorm::SumOne: return "sum";
  }
  return "unknown";
}

}  // namespace moescope
