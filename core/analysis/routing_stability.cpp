#include "core/analysis/routing_stability.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace moescope::analysis {

namespace {

constexpr std::int64_t kRows = trace::kBlockTokens;

std::string pairText(trace::RunId a, trace::RunId b) { return fmt::format("runs {} and {}", a, b); }

Result<void> requireSameRouters(const trace::TraceStore& store, const AnalysedRun& a, const AnalysedRun& b) {
  const auto isAlike = [](const RouterSpec& x, const RouterSpec& y) {
    return x.layer == y.layer && x.experts == y.experts && x.topK == y.topK;
  };
  if (std::ranges::equal(a.routers, b.routers, isAlike)) return {};
  return fail("analysis.different_routers", store.path().string(), pairText(a.record.id, b.record.id),
              "the models have other layers, experts or top-k", "compare checkpoints of one model");
}

Result<void> requireSameTokens(const trace::TraceStore& store, const AnalysedRun& a, const AnalysedRun& b,
                               const std::stop_token& stop) {
  const auto differ = [&](std::string message) {
    return fail("analysis.different_tokens", store.path().string(), pairText(a.record.id, b.record.id),
                std::move(message), "record the same corpus with the same settings through both checkpoints");
  };
  if (a.record.tokens != b.record.tokens)
    return differ(fmt::format("one has {} tokens, the other {}", a.record.tokens, b.record.tokens));
  for (std::int64_t block = 0; block * kRows < a.record.tokens; ++block) {
    if (stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
    const auto left = store.tokenBlock(a.record.id, block);
    const auto right = store.tokenBlock(b.record.id, block);
    if (!left || !right || left->damaged || right->damaged) continue;  // its rows are left out below
    const auto [x, y] = std::ranges::mismatch(left->ids, right->ids);
    if (x == left->ids.end() && y == right->ids.end()) continue;
    return differ(fmt::format("the texts differ from token {} on", block * kRows + (x - left->ids.begin())));
  }
  return {};
}

/// The same block of all runs; empty if it is missing or damaged in one of them.
std::vector<std::shared_ptr<const trace::RouteBlock>> blocksOf(const trace::TraceStore& store,
                                                               std::span<const AnalysedRun> runs, int router,
                                                               std::int64_t block) {
  std::vector<std::shared_ptr<const trace::RouteBlock>> out;
  for (const AnalysedRun& run : runs) {
    auto routes = store.routeBlock(run.record.id, router, block);
    if (!routes || routes->damaged) return {};
    out.push_back(std::move(routes));
  }
  return out;
}

std::span<const std::uint16_t> idsOf(const trace::RouteBlock& routes, std::size_t row) {
  const auto width = static_cast<std::size_t>(routes.width);
  return std::span(routes.ids).subspan(row * width, width);
}

void addRow(std::span<const std::span<const std::uint16_t>> ids, std::size_t unit, RouterStability& out) {
  const auto experts = static_cast<std::size_t>(out.experts);
  std::size_t lastChange = 0;
  for (std::size_t run = 0; run < ids.size(); ++run) {
    addToken(ids[run], ids.back(), out.topK, out.toLast[run][unit]);
    for (const std::uint16_t id : ids[run])
      if (id < experts) out.loads[run][unit * experts + id] += 1.0;
    if (run == 0) continue;
    addToken(ids[run], ids[run - 1], out.topK, out.toPrevious[run][unit]);
    const bool isSame =
        !ids[run].empty() && !ids[run - 1].empty() && ids[run].front() == ids[run - 1].front();
    if (!isSame) lastChange = run;
  }
  out.lastChanges[lastChange][unit] += 1.0;
}

}  // namespace

Result<std::vector<AnalysedRun>> comparableRuns(const trace::TraceStore& store,
                                                const std::vector<trace::RunId>& runs, std::stop_token stop) {
  if (runs.size() < 2) {
    return fail("analysis.too_few_runs", store.path().string(), "",
                fmt::format("a comparison needs two runs or more, and there {} {}",
                            runs.size() == 1 ? "is" : "are", runs.size()),
                "record the corpus through more checkpoints with `moescope series`");
  }
  std::vector<AnalysedRun> out;
  for (const trace::RunId run : runs) {
    auto opened = analysedRun(store, run, trace::CaptureLevel::Ids);
    if (!opened) return fail(opened.error());
    out.push_back(std::move(*opened));
    if (const auto same = requireSameRouters(store, out.front(), out.back()); !same)
      return fail(same.error());
    if (out.size() == 1) continue;
    if (const auto same = requireSameTokens(store, out.front(), out.back(), stop); !same)
      return fail(same.error());
  }
  return out;
}

Result<RouterStability> routerStability(const trace::TraceStore& store, std::span<const AnalysedRun> runs,
                                        int router, std::span<const std::int32_t> unitOfToken, int units,
                                        std::stop_token stop) {
  const RouterSpec& spec = runs.front().routers[static_cast<std::size_t>(router)];
  const auto unitCount = static_cast<std::size_t>(units);
  RouterStability out{spec.experts, spec.topK, units, {}, {}, {}, {}};
  out.toLast.assign(runs.size(), std::vector<AgreementSums>(unitCount));
  out.toPrevious = out.toLast;
  out.toPrevious.front().clear();
  out.loads.assign(runs.size(), std::vector<double>(unitCount * static_cast<std::size_t>(spec.experts), 0.0));
  out.lastChanges.assign(runs.size(), std::vector<double>(unitCount, 0.0));
  std::vector<std::span<const std::uint16_t>> ids(runs.size());
  for (std::int64_t block = 0; block * kRows < runs.front().record.tokens; ++block) {
    if (stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
    const auto blocks = blocksOf(store, runs, router, block);
    if (blocks.empty()) continue;
    const int rows = (*std::ranges::min_element(blocks, {}, [](const auto& b) { return b->count; }))->count;
    for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
      const std::size_t token = static_cast<std::size_t>(block * kRows) + row;
      if (token >= unitOfToken.size()) break;
      for (std::size_t run = 0; run < runs.size(); ++run) ids[run] = idsOf(*blocks[run], row);
      addRow(ids, static_cast<std::size_t>(unitOfToken[token]), out);
    }
  }
  return out;
}

AgreementSums weightedSums(std::span<const AgreementSums> units,
                           std::span<const std::uint16_t> multiplicity) {
  AgreementSums out;
  for (std::size_t u = 0; u < units.size(); ++u)
    out.add(units[u], multiplicity.empty() ? 1.0 : multiplicity[u]);
  return out;
}

std::vector<double> weightedLoad(const RouterStability& stability, std::size_t run,
                                 std::span<const std::uint16_t> multiplicity) {
  const auto experts = static_cast<std::size_t>(stability.experts);
  std::vector<double> out(experts, 0.0);
  for (std::size_t u = 0; u < static_cast<std::size_t>(stability.units); ++u) {
    const double times = multiplicity.empty() ? 1.0 : multiplicity[u];
    if (times == 0.0) continue;
    for (std::size_t e = 0; e < experts; ++e) out[e] += times * stability.loads[run][u * experts + e];
  }
  return out;
}

std::vector<double> lateChanges(const RouterStability& stability, std::span<const double> progress,
                                std::span<const double> places, std::span<const std::uint16_t> multiplicity) {
  double tokens = 0.0;
  std::vector<double> late(places.size(), 0.0);
  for (std::size_t run = 0; run < stability.lastChanges.size(); ++run) {
    double changed = 0.0;
    for (std::size_t u = 0; u < stability.lastChanges[run].size(); ++u)
      changed += (multiplicity.empty() ? 1.0 : multiplicity[u]) * stability.lastChanges[run][u];
    tokens += changed;
    for (std::size_t p = 0; p < places.size(); ++p)
      if (run > 0 && progress[run] > places[p]) late[p] += changed;
  }
  for (double& share : late) share = tokens > 0.0 ? share / tokens : std::numeric_limits<double>::quiet_NaN();
  return late;
}

}  // namespace moescope::analysis
