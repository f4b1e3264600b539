// CpuFeedForward: the mixture-of-experts sublayer on the CPU, or the dense MLP of a layer without experts.
// Not for attention, and not for choosing experts (StepBuffers).
#pragma once

#include <vector>

#include "core/engine/torch/cpu_context.h"
#include "core/engine/torch/step_buffers.h"

namespace moescope::engine {

class CpuFeedForward {
 public:
  /// `block`: tokens that there is room for at first; more make it grow.
  CpuFeedForward(const CpuContext& context, int block);
  /// Floats of one token's rows.
  static std::int64_t floatsPerToken(const checkpoint::ModelDescription& description);

  /// The sublayer of `layer`, `from` to `to`. Errors: `steering.all_banned`.
  Result<void> run(int layer, const DecoderBlock& block, const TokenRows& from, const TokenRows& to,
                   StepBuffers& step);
  /// Writes the logits of a router, router * from, into the step, shows the input, and chooses.
  Result<RoutedRows> route(int router, const CpuMatrix& weights, const CpuVector& bias,
                           const DecoderBlock& block, const TokenRows& from, StepBuffers& step);

  /// A dense MLP of `width` inner channels.
  void denseMlp(const CpuExpert& mlp, std::int64_t width, const TokenRows& from, const TokenRows& to,
                int tokens);

 private:
  void groupByExpert(const RoutedRows& routed, int tokens, int experts, const TokenRows& from,
                     const TokenRows& to);
  void runExperts(const CpuLayer& layer, int tokens);
  void activate(const CpuExpert& expert, std::size_t slot, std::int64_t firstRow, std::int64_t endRow);
  void addSharedExpert(const CpuLayer& layer, int router, const DecoderBlock& block, const TokenRows& from,
                       const TokenRows& to, StepBuffers& step);
  CpuContext m_context;
  TokenRows m_extra;  ///< [tokens, hidden] what the shared expert adds
  // One slot a (token, choice), sorted by expert, tokens ascending inside an expert.
  TokenRows m_gate, m_up;                  ///< [slots, intermediate]
  TokenRows m_linear;                      ///< [slots, intermediate] where gates have double width
  TokenRows m_scaled;                      ///< [slots, hidden] inputs, where the gate weight scales them
  std::vector<int> m_firstSlot;            ///< [experts + 1]
  std::vector<int> m_activeExperts;        ///< experts with slots, ascending
  std::vector<const float*> m_slotInputs;  ///< [slots] rows of `from`
  std::vector<float*> m_slotOutputs;       ///< [slots] rows of `to`
  std::vector<float> m_slotGains;          ///< [slots] routing weights
  std::vector<float*> m_tapRows;           ///< [tokens] rows of router logits
};

}  // namespace moescope::engine
