// Similarity of experts by the router logits they get on the same tokens (M-SMoE, arXiv:2310.01334, default
// `router-logits`). Not for merging them, and not from weights (router_coupling.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace moescope::analysis {

/// Z^T Z of the router logits Z [tokens, experts], added up row by row.
class LogitProducts {
 public:
  explicit LogitProducts(int experts);

  /// One token's raw logits, [experts]. Rows with a value that is not finite are left out.
  void add(std::span<const float> logits);
  [[nodiscard]] std::int64_t tokens() const { return m_tokens; }
  /// s_ij = (cos(Z[:, i], Z[:, j]) + 1) / 2 in [0, 1], [experts, experts]; NaN where a column is zero.
  [[nodiscard]] std::vector<double> similarity() const;

 private:
  void flush();

  std::size_t m_experts;
  std::int64_t m_tokens = 0;
  std::vector<float> m_rows;       // waiting
  std::vector<double> m_products;  // upper triangle used
};

/// The most similar other expert of each, -1 where none is defined; lower id on ties. [experts]
std::vector<int> nearestExperts(std::span<const double> similarity, int experts);

}  // namespace moescope::analysis
