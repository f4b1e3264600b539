// A seeded run of a small model for the tests of panels: skewed experts, words as tokens, kept as plain rows
// beside the trace that it was recorded into. Not a model: choices are drawn, not computed from text.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/trace/trace_store.h"

namespace moescope::trace {

class RoutingTrace {
 public:
  struct Shape {
    int layers = 6, experts = 16, topK = 4;
    int prompt = 12;
    CaptureLevel capture = CaptureLevel::Full;
    RunKind kind = RunKind::Generate;
    unsigned seed = 7;
    std::string name = "Sunset, steered";
  };
  struct Choice {
    std::vector<float> logits, weights;
    std::vector<std::int32_t> ids;
  };

  /// Starts a run in the store.
  RoutingTrace(TraceStore& store, Shape shape);
  ~RoutingTrace();

  /// Records that many tokens; all but the last have routing, as while a model writes.
  void append(int tokens);
  /// Expert of layer is never chosen from here on.
  void ban(int layer, int expert);
  /// Ends sequence and run; the last token gets its routing.
  void end();

  [[nodiscard]] RunId run() const;
  [[nodiscard]] const std::vector<RouterSpec>& routers() const { return m_routers; }
  /// [tokens][layers] as drawn.
  [[nodiscard]] const std::vector<std::vector<Choice>>& rows() const { return m_rows; }
  [[nodiscard]] const std::vector<TokenRow>& tokens() const { return m_tokens; }
  [[nodiscard]] static std::string text(std::int32_t id);
  /// Choices of an expert over rows [begin, end), counted one by one.
  [[nodiscard]] std::int64_t count(int layer, int expert, std::int64_t begin, std::int64_t end) const;

 private:
  Choice draw(int layer);
  void route(std::int64_t end);

  Shape m_shape;
  std::vector<RouterSpec> m_routers;
  std::unique_ptr<RunRecorder> m_recorder;
  std::mt19937 m_random;
  std::vector<std::vector<float>> m_bias;  // [layers][experts]
  std::vector<std::pair<int, int>> m_banned;
  std::vector<TokenRow> m_tokens;
  std::vector<std::vector<Choice>> m_rows;
  std::int64_t m_routed = 0;
  bool m_ended = false;
};

}  // namespace moescope::trace
