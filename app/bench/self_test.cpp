// Whether the kernels that the engine chose for this processor compute what they should.
#include <algorithm>
#include <cmath>

#include "app/bench/bench.h"
#include "app/bench/loaded_model.h"
#include "app/bench/measure.h"
#include "core/engine/api/verify.h"

namespace moescope::bench {

namespace {

using nlohmann::ordered_json;

constexpr int kTokens = 48;
// Float32 sums in another order; larger differences are faults (`verify` uses the same bar).
constexpr double kTolerance = 1e-4;

Result<std::shared_ptr<engine::Model>> loadAs(const BenchOptions& options, const char* device) {
  auto engine = engine::loadEngine();
  if (!engine) return fail(engine.error());
  auto checkpoint = checkpoint::Checkpoint::open(options.model);
  if (!checkpoint) return fail(checkpoint.error());
  engine::LoadOptions load = options.load;
  load.device = device;
  load.dtype = engine::Dtype::F32;
  return (*engine)->load(*checkpoint, load, {}, options.stop);
}

/// Logits of every row; `steps` 1 forwards token by token.
Result<std::vector<float>> logitsOf(engine::Model& model, int step) {
  auto session = model.newSession();
  if (!session) return fail(session.error());
  const int vocabulary = model.checkpoint().description().vocabularySize;
  std::vector<float> logits;
  const auto count = std::min<std::int64_t>(kTokens, (*session)->capacity());
  for (std::int64_t first = 0; first < count; first += step) {
    std::vector<std::int32_t> ids;
    for (std::int64_t i = first; i < std::min<std::int64_t>(first + step, count); ++i) {
      ids.push_back(static_cast<std::int32_t>((17 + i * 397) % vocabulary));
    }
    engine::StepRequest request;
    request.ids = ids;
    request.logits = engine::LogitRows::All;
    const auto output = (*session)->forward(request);
    if (!output) return fail(output.error());
    logits.insert(logits.end(), output->logits.begin(), output->logits.end());
  }
  return logits;
}

double largestDifference(const std::vector<float>& left, const std::vector<float>& right) {
  double largest = left.size() == right.size() ? 0.0 : std::nan("");
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    const double difference = std::abs(double{left[i]} - right[i]);
    if (!(difference <= largest)) largest = difference;  // NaN stays
  }
  return largest;
}

/// Adds the comparison with transformers' values, where the file is there.
Result<bool> compareWithReference(const BenchOptions& options, engine::Model& model, ordered_json& result) {
  std::error_code ignored;
  std::filesystem::path reference = options.model / "reference.safetensors";
  if (!std::filesystem::exists(reference, ignored)) {
    reference = options.model.lexically_normal().parent_path() / "reference.safetensors";
  }
  if (!std::filesystem::exists(reference, ignored)) return true;
  engine::VerifyOptions verify;
  verify.stop = options.stop;
  const auto report = engine::verify(model, reference, verify);
  if (!report) return fail(report.error());
  result["agrees_with_reference"] = report->passed;
  return report->passed;
}

}  // namespace

Result<ordered_json> selfTest(const BenchOptions& options) {
  auto own = loadAs(options, "cpu");
  if (!own) return fail(own.error());
  auto library = loadAs(options, "cpu-torch");
  if (!library) return fail(library.error());
  const auto prefill = logitsOf(**own, kTokens);
  if (!prefill) return fail(prefill.error());
  const auto steps = logitsOf(**own, 1);
  if (!steps) return fail(steps.error());
  const auto wanted = logitsOf(**library, kTokens);
  if (!wanted) return fail(wanted.error());

  ordered_json result{{"bench", "self-test"},
                      {"machine", machineLine()},
                      {"model", (*own)->checkpoint().displayName()},
                      {"threads", (*own)->threads()}};
  const double difference = largestDifference(*prefill, *wanted);
  result["tokens"] = kTokens;
  result["largest_difference_to_libtorch"] = difference;
  result["prefill_equals_steps"] = *prefill == *steps;
  const auto agrees = compareWithReference(options, **own, result);
  if (!agrees) return fail(agrees.error());
  result["passed"] = difference <= kTolerance && *prefill == *steps && *agrees;
  return result;
}

}  // namespace moescope::bench
