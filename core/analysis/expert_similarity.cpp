#include "core/analysis/expert_similarity.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace moescope::analysis {

namespace {

/// Rows that are multiplied at once, so that they stay in the nearest cache.
constexpr std::size_t kBatch = 64;

}  // namespace

LogitProducts::LogitProducts(int experts)
    : m_experts(static_cast<std::size_t>(experts)), m_products(m_experts * m_experts) {}

void LogitProducts::add(std::span<const float> logits) {
  if (logits.size() != m_experts || !std::ranges::all_of(logits, [](float z) { return std::isfinite(z); }))
    return;
  m_rows.insert(m_rows.end(), logits.begin(), logits.end());
  ++m_tokens;
  if (m_rows.size() == kBatch * m_experts) flush();
}

void LogitProducts::flush() {
  std::vector<double> line(m_experts);
  for (std::size_t i = 0; i < m_experts; ++i) {
    std::ranges::fill(line, 0.0);
    for (std::size_t row = 0; row < m_rows.size(); row += m_experts) {
      const double z = static_cast<double>(m_rows[row + i]);
      for (std::size_t j = i; j < m_experts; ++j) line[j] += z * static_cast<double>(m_rows[row + j]);
    }
    for (std::size_t j = i; j < m_experts; ++j) m_products[i * m_experts + j] += line[j];
  }
  m_rows.clear();
}

std::vector<double> LogitProducts::similarity() const {
  LogitProducts whole = *this;
  whole.flush();
  std::vector<double> out(m_experts * m_experts, std::numeric_limits<double>::quiet_NaN());
  const auto square = [&](std::size_t i) { return whole.m_products[i * m_experts + i]; };
  for (std::size_t i = 0; i < m_experts; ++i) {
    for (std::size_t j = i; j < m_experts; ++j) {
      const double norms = std::sqrt(square(i)) * std::sqrt(square(j));
      if (!(norms > 0.0)) continue;
      const double cosine = std::clamp(whole.m_products[i * m_experts + j] / norms, -1.0, 1.0);
      out[i * m_experts + j] = out[j * m_experts + i] = (cosine + 1.0) / 2.0;
    }
  }
  return out;
}

std::vector<int> nearestExperts(std::span<const double> similarity, int experts) {
  std::vector<int> out;
  for (int i = 0; i < experts; ++i) {
    int best = -1;
    double most = -1.0;
    for (int j = 0; j < experts; ++j) {
      const double value = similarity[static_cast<std::size_t>(i) * static_cast<std::size_t>(experts) +
                                      static_cast<std::size_t>(j)];
      if (j == i || !(value > most)) continue;
      most = value;
      best = j;
    }
    out.push_back(best);
  }
  return out;
}

}  // namespace moescope::analysis
