#include "core/trace/summary_check.h"

#include <cmath>

#include <fmt/format.h>

#include "core/trace/decided_row.h"

namespace moescope::trace {

namespace {

/// Sums of the same numbers in another order.
bool near(double a, double b) { return std::abs(a - b) <= 1e-6 * (1.0 + std::abs(a) + std::abs(b)); }

bool near(const std::vector<double>& a, const std::vector<double>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!near(a[i], b[i])) return false;
  }
  return a.size() == b.size();
}

/// Choices of a block, counted.
BlockSummary countOf(const RouteBlock& route, int experts) {
  BlockSummary node(experts);
  const auto width = static_cast<std::size_t>(route.width);
  for (int row = 0; row < route.count; ++row) {
    std::int64_t chosen = 0;
    for (std::size_t slot = static_cast<std::size_t>(row) * width;
         slot < (static_cast<std::size_t>(row) + 1) * width; ++slot) {
      const std::uint16_t expert = route.ids[slot];
      if (expert == kEmptySlot) continue;
      ++chosen;
      ++node.counts[expert];
      if (!route.weights.empty()) node.gateMass[expert] += static_cast<double>(route.weights[slot]);
    }
    node.slots += chosen;
    if (isDecided(route, static_cast<std::size_t>(row))) ++node.tokens;
  }
  node.count = route.count;
  return node;
}

}  // namespace

std::string SummaryCheck::place(int level, std::int64_t block) const {
  return fmt::format("run {}, router {}, layer {}, summary {} of level {}", m_run.id, m_index,
                     m_router.layer.value, block, level);
}

void SummaryCheck::compareLeaf(std::int64_t block, const BlockSummary& node, const RouteBlock& route) {
  const BlockSummary counted = countOf(route, m_router.experts);
  m_decided += counted.tokens;
  const bool same = counted.count == node.count && counted.tokens == node.tokens &&
                    counted.slots == node.slots && counted.counts == node.counts &&
                    (route.weights.empty() || near(counted.gateMass, node.gateMass));
  if (!same) m_report.add(place(0, block), "it does not match its block");
}

void SummaryCheck::add(std::int64_t block, const RouteBlock* route) {
  const auto node = m_reader.summary(m_run.id, m_index, 0, block, m_router);
  const bool intact = node && !node->damaged;
  if (!node) m_report.add(place(0, block), "it is missing");
  if (node && node->damaged) m_report.add(place(0, block), "it is damaged");
  if (intact && route != nullptr) compareLeaf(block, *node, *route);
  if (!intact || route == nullptr) {
    m_broken = true;
    return;
  }
  if (m_broken || node->count != kBlockTokens) return;
  m_pyramid.add(block, *node, [this](int level, std::int64_t at, const BlockSummary& expected) {
    compareNode(level, at, expected);
  });
}

void SummaryCheck::compareNode(int level, std::int64_t block, const BlockSummary& expected) {
  const auto node = m_reader.summary(m_run.id, m_index, level, block, m_router);
  if (!node) return m_report.add(place(level, block), "it is missing");
  if (node->damaged) return m_report.add(place(level, block), "it is damaged");
  const bool same = node->count == expected.count && node->tokens == expected.tokens &&
                    node->slots == expected.slots && node->counts == expected.counts &&
                    near(node->gateMass, expected.gateMass) && near(node->entropySum, expected.entropySum);
  if (!same) m_report.add(place(level, block), "it does not match the level below");
}

}  // namespace moescope::trace
