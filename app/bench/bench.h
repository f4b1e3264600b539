// The measurements of `moescope bench`, each a JSON document with figures and units.
// Not for tests, which assert no times.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "core/engine/api/engine.h"

namespace moescope::bench {

struct BenchOptions {
  std::filesystem::path model;
  engine::LoadOptions load;
  int tokens = 128;                      ///< a block of `decode`, at most what the context holds
  int context = 32;                      ///< tokens before the first of a block of `decode`
  int repetitions = 5;                   ///< blocks at least; `record` and `steering` use 30 pairs
  std::int64_t traceTokens = 1'000'000;  ///< of the recording that `analyses` reads
  std::stop_token stop;
};

// Numbers carry their unit in the name of their field. A field "bars" lists what the demo model must reach:
// name, value, limit, met.

/// Seconds to open and load a checkpoint and to the first token, and memory.
Result<nlohmann::ordered_json> benchLoad(const BenchOptions& options);
/// Greedy decode through Generation, nothing recorded: tokens a second, and the weights that they touch as a
/// share of what as many threads can read from memory.
Result<nlohmann::ordered_json> benchDecode(const BenchOptions& options);
/// One prompt of 512 tokens or what the context holds: tokens a second.
Result<nlohmann::ordered_json> benchPrefill(const BenchOptions& options);
/// Cost of recording at `ids`, `weights` and `full`: interleaved pairs of blocks with and without.
Result<nlohmann::ordered_json> benchRecord(const BenchOptions& options);
/// Cost of 20 rules on choices, weights not recorded: interleaved pairs of blocks with and without.
Result<nlohmann::ordered_json> benchSteering(const BenchOptions& options);
/// Builder to disk, synthetic routing of 16 layers, top-8 of 64: decisions a second.
Result<nlohmann::ordered_json> benchStore(const BenchOptions& options);
/// Congestion fit with 1000 bootstrap draws over 50 texts, 16 layers of 64 experts, 20 checkpoints of seeded
/// synthetic loads: seconds, and seconds to the point estimates.
Result<nlohmann::ordered_json> benchCongestion(const BenchOptions& options);
/// Specialization and co-activation, with their intervals, over a seeded synthetic recording of
/// `traceTokens`, 16 layers, top-8 of 64, capture ids, warm file: seconds, tokens a second (each in all
/// layers).
Result<nlohmann::ordered_json> benchAnalyses(const BenchOptions& options);
/// Start of this program as `generate` until it has written the first token: seconds.
Result<nlohmann::ordered_json> benchStart(const BenchOptions& options);
/// Whether the kernels of this processor are right: against LibTorch on the same tokens, and against the
/// reference file beside the model's folder where there is one. `passed` in the document.
Result<nlohmann::ordered_json> selfTest(const BenchOptions& options);

/// True for the model that comes with the program, which the bars are for.
bool isDemo(const std::filesystem::path& model);

}  // namespace moescope::bench
