#include "core/analysis/router_coupling.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>

#include "core/analysis/parallel_jobs.h"

namespace moescope::analysis {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Sixteen running sums, so that the compiler can use vector registers and the order of additions is fixed.
float dot(std::span<const float> a, std::span<const float> b) {
  constexpr std::size_t kLanes = 16;
  std::array<float, kLanes> sums{};
  std::size_t i = 0;
  for (; i + kLanes <= a.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  float out = 0.0F;
  for (const float sum : sums) out += sum;
  for (; i < a.size(); ++i) out += a[i] * b[i];
  return out;
}

double exactDot(std::span<const float> a, std::span<const float> b) {
  double out = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) out += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return out;
}

double distance(std::span<const float> a, std::span<const float> b) {
  double out = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double gap = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    out += gap * gap;
  }
  return std::sqrt(out);
}

/// The router rows that are multiplied: themselves, or one noisy copy a draw, [draws, experts, hidden].
std::vector<float> noisyRows(const RouterMatrix& router, const CouplingOptions& options) {
  if (options.noiseDraws <= 0) return router.values;
  const std::vector<double> epsilon = routerEpsilon(router);
  std::mt19937_64 random(options.seed);
  std::vector<float> out;
  out.reserve(router.values.size() * static_cast<std::size_t>(options.noiseDraws));
  for (int draw = 0; draw < options.noiseDraws; ++draw) {
    for (int i = 0; i < router.experts; ++i) {
      const double width = epsilon[static_cast<std::size_t>(i)];
      for (const float value : router.row(i)) {
        const double unit = static_cast<double>(random() >> 11) * 0x1p-53;  // [0, 1) on every machine
        const double delta = std::isfinite(width) ? 1.0 + width * (2.0 * unit - 1.0) : 1.0;
        out.push_back(static_cast<float>(static_cast<double>(value) * delta));
      }
    }
  }
  return out;
}

/// Column j of M: what the gate projection of one expert makes of all router rows.
class CouplingColumns {
 public:
  CouplingColumns(const RouterMatrix& router, int intermediate, const GateRow& gate,
                  const CouplingOptions& options)
      : m_router(router), m_intermediate(intermediate), m_gate(gate), m_rows(noisyRows(router, options)) {
    const auto n = static_cast<std::size_t>(router.experts);
    m_out = {router.experts, std::vector<double>(n * n), std::vector<double>(n * n, kNan)};
  }

  /// Threads work on different experts. Incomplete if stopped.
  void compute(int expert, const std::stop_token& stop) {
    const auto hidden = static_cast<std::size_t>(m_router.hidden);
    std::vector<float> line(hidden);
    std::vector<double> squares(m_rows.size() / std::max<std::size_t>(hidden, 1));
    double frobenius = 0.0;
    for (int row = 0; row < m_intermediate; ++row) {
      if (stop.stop_requested()) return;
      m_gate(expert, row, line);
      frobenius += exactDot(line, line);
      for (std::size_t i = 0; i < squares.size(); ++i) {
        const double product = static_cast<double>(dot(std::span(m_rows).subspan(i * hidden, hidden), line));
        squares[i] += product * product;
      }
    }
    store(static_cast<std::size_t>(expert), squares, std::sqrt(frobenius));
  }

  CouplingMatrix take() { return std::move(m_out); }

 private:
  void store(std::size_t expert, std::span<const double> squares, double frobenius) {
    const auto n = static_cast<std::size_t>(m_router.experts);
    const std::size_t draws = squares.size() / n;
    for (std::size_t i = 0; i < squares.size(); ++i)
      m_out.values[i % n * n + expert] += std::sqrt(squares[i]) / static_cast<double>(draws);
    for (std::size_t i = 0; i < n; ++i) {
      const auto row = m_router.row(static_cast<int>(i));
      const double scale = frobenius * std::sqrt(exactDot(row, row));
      if (scale > 0.0) m_out.normalized[i * n + expert] = m_out.values[i * n + expert] / scale;
    }
  }

  const RouterMatrix& m_router;
  int m_intermediate;
  const GateRow& m_gate;
  std::vector<float> m_rows;
  CouplingMatrix m_out;
};

}  // namespace

std::vector<double> routerEpsilon(const RouterMatrix& router) {
  std::vector<double> out;
  for (int i = 0; i < router.experts; ++i) {
    double nearest = std::numeric_limits<double>::infinity();
    for (int j = 0; j < router.experts; ++j) {
      if (j != i) nearest = std::min(nearest, distance(router.row(i), router.row(j)));
    }
    const double norm = std::sqrt(exactDot(router.row(i), router.row(i)));
    out.push_back(norm > 0.0 && std::isfinite(nearest) ? nearest / (2.0 * norm) : kNan);
  }
  return out;
}

double meanAbsoluteCosine(const RouterMatrix& router) {
  double sum = 0.0;
  int pairs = 0;
  for (int i = 0; i < router.experts; ++i) {
    for (int j = i + 1; j < router.experts; ++j) {
      const double norms = std::sqrt(exactDot(router.row(i), router.row(i))) *
                           std::sqrt(exactDot(router.row(j), router.row(j)));
      if (!(norms > 0.0)) continue;
      sum += std::abs(exactDot(router.row(i), router.row(j))) / norms;
      ++pairs;
    }
  }
  return pairs > 0 ? sum / pairs : kNan;
}

Result<CouplingMatrix> couplingMatrix(const RouterMatrix& router, int intermediate, const GateRow& gate,
                                      const CouplingOptions& options,
                                      const std::function<void(std::size_t)>& report, std::stop_token stop) {
  CouplingColumns columns(router, intermediate, gate, options);
  const bool whole = parallelJobs(
      static_cast<std::size_t>(router.experts), kAnalysisThreads, stop,
      [&](std::size_t expert) { columns.compute(static_cast<int>(expert), stop); }, report);
  if (!whole) return fail("cancelled", "", "", "cancelled");
  return columns.take();
}

CouplingSummary couplingSummary(std::span<const double> matrix, int experts, double alpha) {
  if (experts <= 0) return {kNan, kNan, kNan, kNan};
  const auto n = static_cast<std::size_t>(experts);
  CouplingSummary out;
  double violations = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    const double own = matrix[i * n + i];
    bool rowWins = true;
    bool columnWins = true;
    for (std::size_t j = 0; j < n; ++j) {
      if (j == i) continue;
      const double across = matrix[i * n + j];
      const double down = matrix[j * n + i];
      for (const double value : {across, down}) {
        const double excess = value - alpha * own;
        if (!(excess > 0.0)) continue;
        out.loss += excess;
        violations += 1.0;
      }
      rowWins = rowWins && (j < i ? own > across : own >= across);
      columnWins = columnWins && (j < i ? own > down : own >= down);
    }
    out.rowWinRate += rowWins ? 1.0 : 0.0;
    out.columnWinRate += columnWins ? 1.0 : 0.0;
  }
  const double count = static_cast<double>(n);
  out.loss /= count * count;
  out.rowWinRate /= count;
  out.columnWinRate /= count;
  out.violationShare = n > 1 ? violations / (2.0 * count * (count - 1.0)) : kNan;
  return out;
}

}  // namespace moescope::analysis
