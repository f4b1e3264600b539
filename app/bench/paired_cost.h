// PairedCost: what something adds to decoding, from interleaved sides with and without it.
// Not for rates (bench_engine.cpp).
#pragma once

#include <functional>
#include <vector>

#include "app/bench/loaded_model.h"

namespace moescope::bench {

inline constexpr int kPairs = 30;

class PairedCost {
 public:
  /// A text that is ready to decode, with the thing or without it.
  using Start = std::function<Result<std::unique_ptr<engine::Generation>>(bool with)>;
  /// What must be done before the other side starts; part of neither.
  using Settle = std::function<Result<void>()>;

  /// A side is as many texts as it needs to be long enough. Errors: those of Generation.
  static Result<PairedCost> create(const LoadedModel& loaded, const BenchOptions& options);

  [[nodiscard]] int tokensPerText() const { return m_tokens; }
  [[nodiscard]] int tokensPerSide() const { return m_texts * m_tokens; }

  /// Percent that it adds, a pair each.
  struct Percents {
    std::vector<double> wall, thread;
  };
  [[nodiscard]] Result<Percents> percents(const Start& start, const Settle& settle) const;

 private:
  PairedCost(const BenchOptions& options, int tokens) : m_options(&options), m_tokens(tokens) {}
  /// Times of the decode steps; starts and ends of texts are left out on both sides.
  [[nodiscard]] Result<StepTimes> side(const Start& start, bool with) const;

  const BenchOptions* m_options;
  int m_tokens;
  int m_texts = 1;
};

/// A bar of a document: met if the interval's lower end is at most `limit`.
nlohmann::ordered_json costBar(const std::string& name, const nlohmann::ordered_json& interval, double limit);

}  // namespace moescope::bench
