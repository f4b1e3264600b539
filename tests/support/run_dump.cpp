#include "tests/support/run_dump.h"

#include <algorithm>
#include <bit>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace moescope::tests {

namespace {

/// NaN has many bit patterns; a trace may keep any of them.
std::string bits(float value) {
  return value != value ? "nan" : fmt::format("{:08x}", std::bit_cast<std::uint32_t>(value));
}

template <class Value>
std::vector<Value> part(const std::vector<Value>& values, int row, int width) {
  const auto begin = values.begin() + static_cast<std::ptrdiff_t>(row) * width;
  return {begin, begin + width};
}

std::string routing(const trace::TraceStore& store, trace::RunId run, int router, const RouterSpec& spec,
                    std::int64_t block, int row) {
  const auto route = store.routeBlock(run, router, block);
  if (route == nullptr || row >= route->count) return " -";
  std::string text;
  std::vector<std::uint16_t> chosen;
  // A block is as wide as its widest row; empty slots at the end say nothing.
  for (int slot = 0; slot < route->width; ++slot) {
    const auto index = static_cast<std::size_t>(row * route->width + slot);
    if (route->ids[index] == trace::kEmptySlot) break;
    chosen.push_back(route->ids[index]);
    text += fmt::format(" {}", chosen.back());
    if (!route->weights.empty()) text += ":" + bits(route->weights[index]);
  }
  if (!route->nativeIds.empty()) {
    const auto native = part(route->nativeIds, row, spec.topK);
    // Rows of the block that no rule touched have what they chose as their native choice.
    if (native != chosen) {
      text += fmt::format(" native {} dropped {}", native,
                          bits(route->droppedNativeMass[static_cast<std::size_t>(row)]));
    }
  }
  if (const auto logits = store.logitBlock(run, router, block); logits != nullptr && row < logits->count) {
    text += fmt::format(" z {}", part(logits->halves, row, logits->experts));
  }
  return text;
}

}  // namespace

std::string dumpRows(const trace::TraceStore& store, trace::RunId run, std::int64_t begin, std::int64_t end) {
  const auto record = store.run(run);
  if (!record) return "no run";
  const auto routers = store.routers(run);
  std::string text;
  for (std::int64_t row = begin; row < std::min(end, record->tokens); ++row) {
    const std::int64_t block = row / trace::kBlockTokens;
    const int i = static_cast<int>(row % trace::kBlockTokens);
    const auto tokens = store.tokenBlock(run, block);
    if (tokens == nullptr || i >= tokens->count) {
      text += fmt::format("row {} missing\n", row);
      continue;
    }
    const auto index = static_cast<std::size_t>(i);
    text += fmt::format("{} id {} seq {} pos {} phase {} lp {} h {} alt {}", row, tokens->ids[index],
                        tokens->sequences[index], tokens->positions[index], tokens->phases[index],
                        bits(tokens->logProbs[index]), bits(tokens->entropies[index]),
                        part(tokens->alternativeIds, i, trace::kAlternatives));
    for (const float logProb : part(tokens->alternativeLogProbs, i, trace::kAlternatives))
      text += " " + bits(logProb);
    for (std::size_t r = 0; r < routers.size(); ++r) {
      text += fmt::format(" | {}", routing(store, run, static_cast<int>(r), routers[r], block, i));
    }
    text += '\n';
  }
  return text;
}

std::string dumpRun(const trace::TraceStore& store, trace::RunId run) {
  std::string text;
  for (const auto& sequence : store.sequences(run)) {
    auto labels = sequence.labels;
    std::sort(labels.begin(), labels.end());
    text += fmt::format("sequence {} first {} prompt {} length {} complete {} hash {} labels {}\n",
                        sequence.ordinal, sequence.firstToken, sequence.promptLength, sequence.length,
                        sequence.complete, sequence.textHash, labels);
  }
  return text + dumpRows(store, run);
}

std::string firstDifference(const std::string& left, const std::string& right) {
  std::istringstream leftLines(left);
  std::istringstream rightLines(right);
  for (;;) {
    std::string a;
    std::string b;
    const bool hasA = static_cast<bool>(std::getline(leftLines, a));
    const bool hasB = static_cast<bool>(std::getline(rightLines, b));
    if (!hasA && !hasB) return {};
    if (hasA != hasB || a != b) return "left:  " + a + "\nright: " + b;
  }
}

}  // namespace moescope::tests
