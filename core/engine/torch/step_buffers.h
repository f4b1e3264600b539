// StepBuffers: what one forward step shows (logits, router taps, hidden states), in memory that is kept
// between steps; and the choice of experts, native or steered, which is the same on every device.
// Not for the forward pass itself (decoder.h).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/checkpoint/model_description.h"
#include "core/engine/api/engine.h"
#include "core/engine/api/forward_kit.h"
#include "core/engine/torch/native_router.h"

namespace moescope::engine {

class StepBuffers {
 public:
  explicit StepBuffers(const checkpoint::ModelDescription& description);

  /// Makes room for a step that starts at `position`. `plan` may be null.
  void begin(const StepRequest& request, std::int64_t position,
             std::shared_ptr<const steering::SteeringPlan> plan);

  // Where the decoder puts what it computes; `row` counts tokens from the start of the step.
  [[nodiscard]] float* routerLogits(int router, int row);
  [[nodiscard]] float* routerInput(int router, int row);  ///< null unless asked for
  [[nodiscard]] float* sharedGate(int router, int row);   ///< of a gated shared expert
  [[nodiscard]] float* hidden(int layer, int row);        ///< null unless asked for
  [[nodiscard]] float* logits(int row);                   ///< null where the row's are not asked for

  /// Chooses the experts of rows whose router logits have been written; where experts have a capacity, these
  /// rows share it. Errors: `steering.all_banned`.
  Result<RoutedRows> route(int router, int firstRow, int rows);

  /// The step as the caller sees it; the spans are valid until the next begin().
  StepOutput finish();

 private:
  struct Router {
    explicit Router(const RouterSpec& spec) : native(spec) {}

    NativeRouter native;
    const steering::LayerPlan* plan = nullptr;  ///< null: unsteered, the native path
    int stride = 0;                             ///< choices a row has room for
    std::vector<float> logits, inputs, scores, selection, sharedGates;
    std::vector<std::int32_t> ids, nativeIds, dropped;
    std::vector<std::int64_t> taken;  ///< [experts] places, while a capacity is shared out
    std::vector<float> weights, nativeWeights;
  };

  /// What a router shows of tokens that it never sees: those of the other part of an encoder-decoder.
  static void blank(Router& router);
  Result<void> steerRow(Router& router, int row);
  void dropBeyond(std::int64_t capacity, Router& router, int firstRow, int rows) const;
  static void renormalise(Router& router, int row, float before);
  void pack(Router& router) const;

  const checkpoint::ModelDescription& m_description;
  std::shared_ptr<const steering::SteeringPlan> m_plan;
  std::vector<Router> m_routers;
  std::vector<std::vector<float>> m_hidden;
  std::vector<float> m_logits;
  int m_tokens = 0;
  int m_firstLogitRow = 0;
  std::int64_t m_position = 0;
  bool m_decode = false, m_taps = false, m_inputs = false, m_wantsHidden = false;
};

}  // namespace moescope::engine
