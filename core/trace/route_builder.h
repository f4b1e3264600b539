// RouteBuilder: packs one router's rows onto the fixed grid and keeps their sums.
// Not thread-safe: its owner locks; snapshots, once handed out, never change.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/trace/block_summary.h"
#include "core/trace/routing_types.h"

namespace moescope::trace {

/// Empty sums for a router of `experts` experts.
SequenceStats emptyStats(int experts);

class RouteBuilder {
 public:
  /// `capture` is Ids, Weights or Full.
  RouteBuilder(const RouterSpec& router, CaptureLevel capture, std::int64_t block = 0);

  /// Rows [first, first + count) of a step; they must fit into the block. `stats` gets their sums too.
  void add(const RouterRows& rows, int first, int count, SequenceStats& stats);
  /// Rows that never got a decision.
  void addEmpty(int count);
  /// Replaces the block by the first `count` rows of another (a copied or resumed run). Logits may be null;
  /// what is absent is not summed. Rows from `statsFrom` on go into `stats` too.
  void assign(const RouteBlock& route, const LogitBlock* logits, int count, int statsFrom,
              SequenceStats& stats);
  /// Replaces the sums of the block, where the copied rows' own cannot be computed again.
  void setSummary(BlockSummary summary) { m_summary = std::move(summary); }

  [[nodiscard]] std::int64_t block() const { return m_block; }
  [[nodiscard]] int count() const { return m_route->count; }
  /// The block so far. Copy-on-write: the next add leaves it alone.
  [[nodiscard]] std::shared_ptr<const RouteBlock> route() const { return m_route; }
  /// Null below capture full.
  [[nodiscard]] std::shared_ptr<const LogitBlock> logits() const { return m_logits; }
  [[nodiscard]] const BlockSummary& summary() const { return m_summary; }
  /// Begins the block after a full one.
  void next();

 private:
  void startBlock();
  void makeOwn();
  void widen(RouteBlock& block, int width) const;
  /// As they will be read back: what is summed is what is stored.
  std::span<const float> storedWeights(const RouterRows& rows, int first, int count);
  void addChoices(RouteBlock& block, const RouterRows& rows, int first, int count, SequenceStats& stats);
  void addLogits(std::span<const float> logits, SequenceStats* stats);
  void assignColumns(const RouteBlock& route, const LogitBlock* logits, int count);
  bool sumChoices(std::size_t row, SequenceStats* stats);
  void addNative(RouteBlock& block, const RouterRows& rows, int row);
  void startNative(RouteBlock& block) const;

  RouterSpec m_router;
  CaptureLevel m_capture;
  std::int64_t m_block = 0;
  std::shared_ptr<RouteBlock> m_route;
  std::shared_ptr<LogitBlock> m_logits;
  BlockSummary m_summary;
  std::vector<float> m_probabilities;  // [experts], scratch
  std::vector<float> m_weights;        // scratch
};

}  // namespace moescope::trace
