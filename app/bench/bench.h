// The measurements of `moescope bench`, each a JSON document with figures and units.
// Not for correctness, which the tests are for.
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
  int tokens = 128;      ///< a block
  int repetitions = 5;   ///< blocks; `record` uses at least 30 pairs
  std::stop_token stop;
};

/// Seconds to open and load a checkpoint and to the first token.
Result<nlohmann::ordered_json> benchLoad(const BenchOptions& options);
/// Greedy decode through Generation, nothing recorded: tokens a second.
Result<nlohmann::ordered_json> benchDecode(const BenchOptions& options);
/// One prompt of 512 tokens or what the context holds: tokens a second.
Result<nlohmann::ordered_json> benchPrefill(const BenchOptions& options);
/// Cost of recording at `ids`, `weights` and `full`: interleaved pairs of blocks with and without.
Result<nlohmann::ordered_json> benchRecord(const BenchOptions& options);
/// Builder to disk, synthetic routing of 16 layers, top-8 of 64: decisions a second.
Result<nlohmann::ordered_json> benchStore(const BenchOptions& options);

}  // namespace moescope::bench
