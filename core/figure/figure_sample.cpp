#include "core/figure/figure_sample.h"

#include <algorithm>
#include <set>

#include "core/base/router_label.h"
#include "core/figure/number_text.h"

namespace moescope::figure {

namespace {

/// "prefill", "decode" or "prefill and decode" of the rows of a range; empty if the blocks are damaged.
std::string phasesOf(const FigureSource& source, trace::TokenRange tokens) {
  bool seen[2] = {false, false};
  const std::int64_t last = (tokens.end - 1) / trace::kBlockTokens;
  for (std::int64_t block = tokens.begin / trace::kBlockTokens; block <= last && !(seen[0] && seen[1]);
       ++block) {
    const auto rows = source.store.tokenBlock(source.run, block);
    if (!rows || rows->damaged) continue;
    const std::int64_t first = block * trace::kBlockTokens;
    const std::int64_t end =
        std::min<std::int64_t>(tokens.end - first, static_cast<std::int64_t>(rows->phases.size()));
    for (std::int64_t i = std::max<std::int64_t>(0, tokens.begin - first); i < end; ++i) {
      seen[rows->phases[static_cast<std::size_t>(i)] == static_cast<std::uint8_t>(trace::Phase::Decode) ? 1
                                                                                                        : 0] =
          true;
    }
  }
  if (seen[0] && seen[1]) return "prefill and decode";
  if (seen[1]) return "decode";
  return seen[0] ? "prefill" : "";
}

std::string topKText(const FigureSample& sample) {
  std::set<int> all;
  for (const RouterSpec& router : sample.routers) all.insert(router.topK);
  if (all.size() == 1) return "top-" + std::to_string(*all.begin());
  return "top-" + std::to_string(*all.begin()) + " to " + std::to_string(*all.rbegin());
}

}  // namespace

Result<int> routerOf(const FigureSource& source, const FigureSample& sample, const RouterKey& router) {
  const auto found = routerIndex(sample.routers, router);
  if (found) return static_cast<int>(*found);
  return fail("figure.no_such_layer", source.store.path().string(), "layer " + routerLabel(router),
              "the run has no router in this layer", "see moescope inspect for its layers");
}

Result<FigureSample> sampleOf(const FigureSource& source) {
  const std::string file = source.store.path().string();
  const auto run = source.store.run(source.run);
  if (!run) {
    return fail("figure.no_such_run", file, "run " + std::to_string(source.run), "the trace has no such run",
                "see moescope inspect for its runs");
  }
  FigureSample sample{*run, source.store.routers(source.run), source.tokens};
  sample.tokens.begin = std::clamp<std::int64_t>(sample.tokens.begin, 0, run->routedTokens);
  sample.tokens.end = std::clamp<std::int64_t>(sample.tokens.end, sample.tokens.begin, run->routedTokens);
  if (sample.tokens.size() == 0 || sample.routers.empty()) {
    return fail("figure.no_routing", file, "run " + std::to_string(source.run),
                "no routing was recorded for these tokens", "choose a run and tokens with routing");
  }
  return sample;
}

std::string sampleLine(const FigureSource& source, const FigureSample& sample, const Counted& counted) {
  const std::string phases = phasesOf(source, sample.tokens);
  std::string line =
      "Run " + sample.run.name + " · " + tokenRangeText(sample.tokens.begin, sample.tokens.end);
  if (!phases.empty()) line += ", " + phases;
  line += " · " + countText(sample.tokens.size()) + (sample.tokens.size() == 1 ? " token" : " tokens");
  const bool hasKinds = hasRouterKinds(sample.routers);
  if (counted.layers > 1) line += " × " + countText(counted.layers) + (hasKinds ? " routers" : " layers");
  line += " × " + topKText(sample);
  if (counted.expected > counted.choices)
    line += ", less " + countText(counted.expected - counted.choices) + " dropped";
  line += ": " + countText(counted.choices) + " choices";
  if (counted.missing > 0) line += " · " + countText(counted.missing) + " rows lost to damaged blocks";
  return line;
}

FigureSpec startFigure(const FigureSource& source, const FigureSample& sample, std::string kind,
                       std::string title, const Counted& counted, const std::string& filter) {
  FigureSpec spec;
  spec.kind = std::move(kind);
  spec.title = std::move(title);
  spec.sampleLine = sampleLine(source, sample, counted);
  spec.provenance = {{"program", std::string("MoEScope ") + MOESCOPE_VERSION},
                     {"trace", source.store.path().filename().string()},
                     {"content id", source.store.contentId()},
                     {"run", sample.run.name},
                     {"filter", filter}};
  return spec;
}

steering::SteeringProgram programInForce(const FigureSource& source, std::int64_t token) {
  steering::SteeringProgram program;
  for (const trace::SteeringEvent& event : source.store.steeringEvents(source.run)) {
    if (event.token > token) break;
    auto parsed = steering::parseProgram(event.programJson, source.store.path().string());
    program = parsed ? std::move(*parsed) : steering::SteeringProgram{};
  }
  return program;
}

std::string uniformBaseline(int experts) {
  return "uniform load, " + percentText(experts > 0 ? 1.0 / experts : 0.0) + " an expert";
}

}  // namespace moescope::figure
