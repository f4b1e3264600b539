#include "core/analysis/co_activation.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <tuple>

#include "core/analysis/drawn_sums.h"
#include "core/analysis/routed_tokens.h"

namespace moescope::analysis {

namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kMostUnsettled = std::int64_t{1} << 31;  // no 32-bit count can overflow before

/// Pairs of full rows: the inner loops have a constant length, so the compiler unrolls them.
template <std::size_t kWidth>
void addPairs(const std::uint16_t* row, const std::uint16_t* end, std::size_t experts, std::uint32_t* all,
              std::uint32_t* adjacent, std::uint32_t* chosen) {
  for (; row != end; row += kWidth) {
    for (std::size_t r = 0; r < kWidth; ++r) {
      ++chosen[row[r]];
      if (r + 1 < kWidth) ++adjacent[row[r] * experts + row[r + 1]];
      std::uint32_t* pairs = all + row[r] * experts;
      for (std::size_t s = r + 1; s < kWidth; ++s) ++pairs[row[s]];
    }
  }
}

void addMoved(std::vector<std::uint32_t>& from, std::vector<std::int64_t>& to) {
  for (std::size_t i = 0; i < from.size(); ++i) to[i] += from[i];
  std::ranges::fill(from, 0U);
}

std::vector<std::int64_t> symmetric(const std::vector<std::int64_t>& ordered, std::size_t experts) {
  std::vector<std::int64_t> out(ordered.size(), 0);
  for (std::size_t a = 0; a < experts; ++a)
    for (std::size_t b = 0; b < experts; ++b)
      if (a != b) out[a * experts + b] = ordered[a * experts + b] + ordered[b * experts + a];
  return out;
}

}  // namespace

CoActivationCounter::CoActivationCounter(int experts, int topK) : m_experts(experts), m_topK(topK) {
  const auto size = static_cast<std::size_t>(experts);
  m_recentAll.resize(size * size);
  m_recentAdjacent.resize(size * size);
  m_recentChosen.resize(size);
  m_all.resize(size * size);
  m_adjacent.resize(size * size);
  m_chosen.resize(size);
}

void CoActivationCounter::add(std::span<const std::uint16_t> ids, int width) {
  const auto rows = static_cast<std::int64_t>(ids.size()) / std::max(width, 1);
  if (rows == 0) return;
  if (m_unsettled + rows > kMostUnsettled) settle();
  m_unsettled += rows;
  m_tokens += rows;
  const auto experts = static_cast<std::size_t>(m_experts);
  const auto add = [&](auto kWidth) {
    addPairs<kWidth>(ids.data(), ids.data() + ids.size(), experts, m_recentAll.data(),
                     m_recentAdjacent.data(), m_recentChosen.data());
  };
  const bool isFull = std::ranges::max(ids) < experts;
  if (isFull && width == 2) return add(std::integral_constant<std::size_t, 2>());
  if (isFull && width == 4) return add(std::integral_constant<std::size_t, 4>());
  if (isFull && width == 6) return add(std::integral_constant<std::size_t, 6>());
  if (isFull && width == 8) return add(std::integral_constant<std::size_t, 8>());
  for (std::int64_t row = 0; row < rows; ++row)
    addRow(ids.subspan(static_cast<std::size_t>(row * width), static_cast<std::size_t>(width)));
}

void CoActivationCounter::addRow(std::span<const std::uint16_t> row) {
  const auto experts = static_cast<std::size_t>(m_experts);
  for (std::size_t r = 0; r < row.size(); ++r) {
    if (row[r] >= experts) continue;
    ++m_recentChosen[row[r]];
    bool isNext = true;
    for (std::size_t s = r + 1; s < row.size(); ++s) {
      if (row[s] >= experts) continue;
      ++m_recentAll[row[r] * experts + row[s]];
      if (isNext) ++m_recentAdjacent[row[r] * experts + row[s]];
      isNext = false;
    }
  }
}

void CoActivationCounter::settle() {
  addMoved(m_recentAll, m_all);
  addMoved(m_recentAdjacent, m_adjacent);
  addMoved(m_recentChosen, m_chosen);
  m_unsettled = 0;
}

CoActivationCounts CoActivationCounter::counts() const {
  CoActivationCounter settled = *this;
  settled.settle();
  const auto experts = static_cast<std::size_t>(m_experts);
  return {m_experts,
          m_topK,
          m_tokens,
          settled.m_chosen,
          symmetric(settled.m_all, experts),
          symmetric(settled.m_adjacent, experts)};
}

Result<CoActivationCounts> coActivationCounts(const trace::TraceStore& store, const AnalysedRun& run,
                                              int router, std::stop_token stop) {
  const RouterSpec& spec = run.routers[static_cast<std::size_t>(router)];
  CoActivationCounter counter(spec.experts, spec.topK);
  const auto visited = forEachRoutedBlock(
      store, run.record.id, router, {0, run.record.tokens}, {}, stop, [&](const RoutedBlock& b) {
        const auto width = static_cast<std::size_t>(b.routes->width);
        counter.add(std::span(b.routes->ids)
                        .subspan(static_cast<std::size_t>(b.begin) * width,
                                 static_cast<std::size_t>(b.end - b.begin) * width),
                    b.routes->width);
      });
  if (!visited) return fail(visited.error());
  return counter.counts();
}

std::vector<double> coActivation(const CoActivationCounts& counts, PairKind kind) {
  const auto experts = static_cast<std::size_t>(counts.experts);
  std::vector<double> out(experts * experts, kUndefined);
  for (std::size_t a = 0; a < experts; ++a) {
    if (counts.chosen[a] == 0) continue;
    for (std::size_t b = 0; b < experts; ++b)
      if (a != b)
        out[a * experts + b] =
            static_cast<double>(counts.pairs(kind)[a * experts + b]) / static_cast<double>(counts.chosen[a]);
  }
  return out;
}

double coActivationChance(PairKind kind, int experts, int topK) {
  if (experts < 2) return kUndefined;
  const double all = (topK - 1.0) / (experts - 1.0);
  return kind == PairKind::AllPairs ? all : 2.0 * all / topK;
}

std::vector<ExpertPair> strongestPairs(const CoActivationCounts& counts, PairKind kind, int most) {
  const auto experts = static_cast<std::size_t>(counts.experts);
  std::vector<ExpertPair> out;
  for (std::size_t a = 0; a < experts; ++a) {
    for (std::size_t b = a + 1; b < experts; ++b) {
      const std::int64_t both = counts.pairs(kind)[a * experts + b];
      if (both == 0) continue;
      // The stronger direction is the one from the rarer expert.
      const bool forward = counts.chosen[a] <= counts.chosen[b];
      const std::size_t from = forward ? a : b;
      out.push_back({static_cast<int>(from),
                     static_cast<int>(forward ? b : a),
                     both,
                     counts.chosen[from],
                     static_cast<double>(both) / static_cast<double>(counts.chosen[from]),
                     {kUndefined, kUndefined}});
    }
  }
  std::ranges::sort(out, [](const ExpertPair& a, const ExpertPair& b) {
    return std::tuple(-a.value, -a.both, -a.chosen, a.from, a.to) <
           std::tuple(-b.value, -b.both, -b.chosen, b.from, b.to);
  });
  if (out.size() > static_cast<std::size_t>(most)) out.resize(static_cast<std::size_t>(most));
  return out;
}

namespace {

/// Counts of one pair in one unit.
struct UnitPair {
  std::uint32_t both = 0, chosen = 0;
};

/// Ranks of the experts of a row, -1 where not chosen; `forget` undoes `note`.
class RankTable {
 public:
  explicit RankTable(int experts) : m_ranks(static_cast<std::size_t>(experts), -1) {}
  void note(std::span<const std::uint16_t> row) { set(row, true); }
  void forget(std::span<const std::uint16_t> row) { set(row, false); }
  [[nodiscard]] int of(int expert) const { return m_ranks[static_cast<std::size_t>(expert)]; }

 private:
  void set(std::span<const std::uint16_t> row, bool chosen) {
    int rank = 0;
    for (const std::uint16_t id : row)
      if (id < m_ranks.size()) m_ranks[id] = chosen ? rank++ : -1;
  }
  std::vector<int> m_ranks;
};

}  // namespace

Result<void> pairIntervals(const trace::TraceStore& store, const AnalysedRun& run, int router, PairKind kind,
                           std::span<const std::int32_t> unitOfToken, const TextDraws& draws,
                           std::vector<ExpertPair>& pairs, std::stop_token stop) {
  const auto experts = static_cast<std::size_t>(run.routers[static_cast<std::size_t>(router)].experts);
  std::vector<std::vector<std::size_t>> pairsFrom(experts);
  for (std::size_t p = 0; p < pairs.size(); ++p)
    pairsFrom[static_cast<std::size_t>(pairs[p].from)].push_back(p);
  std::vector<UnitPair> units(static_cast<std::size_t>(draws.texts()) * pairs.size());  // [units, pairs]
  RankTable ranks(static_cast<int>(experts));
  const auto visited = forEachRoutedBlock(
      store, run.record.id, router, {0, run.record.tokens}, {}, stop, [&](const RoutedBlock& block) {
        for (int row = block.begin; row < block.end; ++row) {
          const auto token = static_cast<std::size_t>(block.first + row);
          UnitPair* unit = units.data() + static_cast<std::size_t>(unitOfToken[token]) * pairs.size();
          ranks.note(block.ids(row));
          for (const std::uint16_t from : block.ids(row)) {
            if (from >= experts) continue;
            for (const std::size_t p : pairsFrom[from]) {
              ++unit[p].chosen;
              const int to = ranks.of(pairs[p].to);
              if (to >= 0 && (kind == PairKind::AllPairs || std::abs(to - ranks.of(from)) == 1))
                ++unit[p].both;
            }
          }
          ranks.forget(block.ids(row));
        }
      });
  if (!visited) return fail(visited.error());
  std::vector<int> rows(static_cast<std::size_t>(draws.texts()));
  std::iota(rows.begin(), rows.end(), 0);
  const DrawnSums drawn(rows, draws.texts(), 2 * pairs.size(), [&](std::size_t unit, std::size_t column) {
    const UnitPair& counts = units[unit * pairs.size() + column / 2];
    return std::int64_t{column % 2 == 0 ? counts.both : counts.chosen};
  });
  std::vector<std::vector<double>> replicates(pairs.size());
  for (int d = 0; d < draws.draws(); ++d) {
    if (stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
    const std::vector<std::int64_t> sums = drawn.of(draws.draw(d));
    for (std::size_t p = 0; p < pairs.size(); ++p) {
      const auto both = static_cast<double>(sums[2 * p]), chosen = static_cast<double>(sums[2 * p + 1]);
      replicates[p].push_back(chosen > 0.0 ? both / chosen : kUndefined);
    }
  }
  for (std::size_t p = 0; p < pairs.size(); ++p)
    pairs[p].interval = bootstrapInterval(pairs[p].value, replicates[p]).percentile;
  return {};
}

}  // namespace moescope::analysis
