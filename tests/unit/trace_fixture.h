// A seeded synthetic run for the trace tests, kept as plain rows, and what a trace must say of them computed
// the straightforward way. Not a model: ids, weights and logits are drawn, not derived.
#pragma once

#include <QTemporaryDir>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/trace/trace_store.h"

namespace moescope::trace::fixture {

struct Choice {
  std::vector<float> logits;
  std::vector<std::int32_t> ids;  ///< chosen, in order; size = k of this row
  std::vector<float> weights;
  std::vector<std::int32_t> nativeIds;  ///< [topK]
  std::vector<float> nativeWeights;
};

struct Row {
  TokenRow token;
  bool routed = true;
  bool steered = false;  ///< a rule is on router 1
  float entropyAfter = 0.0F;
  std::vector<Choice> choices;  ///< one a router
};

struct Sequence {
  std::int64_t first = 0;
  std::int64_t length = 0;
  std::vector<std::pair<std::string, std::string>> labels;
};

struct SyntheticRun {
  std::vector<RouterSpec> routers;
  std::vector<Row> rows;
  std::vector<Sequence> sequences;
};

/// Four routers: 8, 64, 255 (a sigmoid) and 300 experts, so that both id widths and their border occur.
std::vector<RouterSpec> routers();
ModelRecord modelRecord(const std::vector<RouterSpec>& routers);
RunRecord runRecord(CaptureLevel capture);
/// Sequences of the given lengths; the last row of every odd one is never routed. `steeredShare` of the rows
/// in the second half are steered at router 1.
SyntheticRun synthesize(unsigned seed, const std::vector<int>& lengths, double steeredShare = 0.3,
                        const std::vector<RouterSpec>& specs = routers());
/// Replaces native choices by the top-k of the logits (and the bias), as a router would; unsteered rows
/// follow.
void chooseByLogits(SyntheticRun& run);
std::string tokenText(std::int32_t id);
/// A finished trace of the run, recorded and closed; its run has id 1.
void writeTrace(const std::filesystem::path& path, const SyntheticRun& run, CaptureLevel capture);
/// The row after the last one that was routed.
std::int64_t routedEndOf(const SyntheticRun& run);

/// Appends sequences [from, to) in steps of random size; checks every result.
void feed(RunRecorder& recorder, const SyntheticRun& run, std::size_t from, std::size_t to, unsigned seed);
/// Appends rows [begin, end) of the open sequence and their routing in one step; `beforeRouting` is called
/// between the two.
void feedRows(RunRecorder& recorder, const SyntheticRun& run, std::int64_t begin, std::int64_t end,
              const std::function<void()>& beforeRouting = {});

/// A weight as it is read back at a capture level (the compiler's own binary16 rounds it).
float asStored(float weight, CaptureLevel capture);
/// What a block must hold, from rows [256 block, end).
TokenBlock expectedTokens(const SyntheticRun& run, std::int64_t block, std::int64_t end);
RouteBlock expectedRoutes(const SyntheticRun& run, int router, std::int64_t block, std::int64_t routedEnd,
                          CaptureLevel capture);
LogitBlock expectedLogits(const SyntheticRun& run, int router, std::int64_t block, std::int64_t routedEnd);
/// Of a row's native distribution, in long double.
double entropyOf(const std::vector<float>& logits, ScoreKind score);
std::vector<double> probabilitiesOf(const std::vector<float>& logits, ScoreKind score);
double logSumExpOf(const std::vector<float>& logits);
/// Sums over rows; gate mass from stored weights; entropies of rows at every capture level.
LoadSummary expectedLoad(const SyntheticRun& run, int router, TokenRange tokens, CaptureLevel capture);
SequenceStats expectedStats(const SyntheticRun& run, int router, const Sequence& sequence,
                            CaptureLevel capture);

/// Empty if equal (NaN equals NaN), else what differs.
std::string difference(const TokenBlock& a, const TokenBlock& b);
std::string difference(const RouteBlock& a, const RouteBlock& b);
std::string difference(const LogitBlock& a, const LogitBlock& b);
/// Sums agree within `tolerance` relative to their size.
std::string difference(const LoadSummary& a, const LoadSummary& b, double tolerance);
std::string difference(const SequenceStats& a, const SequenceStats& b, double tolerance);

/// Everything a store says of a run, to compare a live view with a reopened one bit by bit.
std::string fingerprint(const TraceStore& store, RunId run);

}  // namespace moescope::trace::fixture
