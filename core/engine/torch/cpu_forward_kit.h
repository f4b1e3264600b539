// CpuForwardKit: the ForwardKit of one sequence on the CPU, over the kernels and steps that the one decoder
// uses itself. Not the decoder (adapter_decoder.h).
#pragma once

#include <vector>

#include "core/engine/api/forward_kit.h"
#include "core/engine/torch/cpu_context.h"
#include "core/engine/torch/cpu_feed_forward.h"
#include "core/engine/torch/rotary.h"
#include "core/engine/torch/step_buffers.h"

namespace moescope::engine {

class CpuForwardKit final : public ForwardKit {
 public:
  CpuForwardKit(const CpuContext& context, std::int64_t capacity);

  /// What the calls until the next begin() are about.
  void begin(const DecoderBlock& block, StepBuffers& step);

  [[nodiscard]] const checkpoint::ModelDescription& description() const override {
    return m_context.description;
  }
  [[nodiscard]] std::int64_t capacity() const override { return m_capacity; }
  [[nodiscard]] KitMatrix matrix(const std::string& name, int part) const override;
  [[nodiscard]] const std::vector<float>& vector(const std::string& name) const override;

  void embed(const TokenRows& to) override;
  void multiply(const KitMatrix& matrix, const TokenRows& from, const TokenRows& to, int rows) override;
  void rmsNorm(const float* from, std::span<const float> weight, double eps, float* to) const override;
  void layerNorm(const float* from, std::span<const float> weight, std::span<const float> bias, double eps,
                 float* to) const override;
  void siluTimes(float* gate, const float* up, std::int64_t count) const override;
  void add(float* to, const float* from, std::int64_t count) const override;

  void rotateHead(int token, float* head) const override { m_rotary.apply(token, head); }
  void rotate(const TokenRows& rows, int heads, int headDim) const override;
  Result<std::unique_ptr<AttentionCache>> newCache(const checkpoint::AttentionShape& shape) override;
  void attend(const AttentionCache& cache, int layer, std::span<const AttentionQuery> queries, double scale,
              std::int64_t window) override;
  void parallel(std::int64_t tasks, std::int64_t cost,
                const std::function<void(std::int64_t)>& work) const override;

  Result<RoutedRows> route(int router, const KitMatrix& matrix, const TokenRows& inputs,
                           const std::vector<float>& bias) override;
  void project(const RoutedRows& routed, std::span<const KitMatrix> experts, const TokenRows& from,
               TokenRows& slots) override;
  void combine(const RoutedRows& routed, std::span<const KitMatrix> experts, const TokenRows& slots,
               const TokenRows& to) override;
  Result<void> feedForward(int layer, const TokenRows& from, const TokenRows& to) override;

  void showHidden(int layer, const TokenRows& rows) override;
  void head(const TokenRows& normed) override;

 private:
  [[nodiscard]] int tokens() const { return static_cast<int>(m_block.ids.size()); }
  /// Calls `visit(token, choice, weight)` for every choice of an expert, tokens ascending; fills the lists.
  template <class Visit>
  void choicesOf(const RoutedRows& routed, int expert, const Visit& visit);

  CpuContext m_context;
  std::int64_t m_capacity;
  Rotary m_rotary;
  CpuFeedForward m_feedForward;
  CpuHead m_head;
  DecoderBlock m_block;
  StepBuffers* m_step = nullptr;
  std::vector<const float*> m_inputs;  ///< of one expert
  std::vector<float*> m_outputs;
  std::vector<float> m_gains;
};

}  // namespace moescope::engine
