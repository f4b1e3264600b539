// Checkpoint series: the checkpoints of one training, found by their names or in an index, in order of steps.
// Not for running them (record_series.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/checkpoint/checkpoint.h"

namespace moescope::engine {

/// What a name such as "step10000-tokens41B" says.
struct TrainingPoint {
  std::optional<std::int64_t> step;
  std::optional<std::int64_t> tokens;
  bool operator==(const TrainingPoint&) const = default;
};
/// Reads "step", "global_step", "checkpoint", "iter" or "ckpt" and a number, or a name that is only a number;
/// and "tokens" with a number in K, M, B or T. Capitals do not matter.
TrainingPoint trainingPoint(std::string_view name);

struct SeriesCheckpoint {
  std::filesystem::path folder;        ///< its weights; or a GGUF file
  std::filesystem::path sharedFolder;  ///< config.json and tokenizer of all of them; empty: in `folder`
  std::string label;                   ///< name of the folder, file or revision
  std::int64_t step = 0;
  std::optional<std::int64_t> tokens;  ///< seen in training up to here

  /// Errors: those of Checkpoint::open, with the folder's name.
  [[nodiscard]] Result<std::shared_ptr<const checkpoint::Checkpoint>> open() const;
};

struct CheckpointSeries {
  std::string name;                           ///< of the folder, or org/name
  std::vector<SeriesCheckpoint> checkpoints;  ///< by step, at least two
};

/// What `path` holds: a folder of step folders or GGUF files (with an index.json beside them, if there is
/// one, for steps and tokens), an index file (docs/cli.md), or a repository in a Hugging Face cache
/// (models--org--name), where the revisions with a step in their name count. A step folder without
/// config.json shares that of the folder above it. Nothing is loaded. Errors: `series.not_found`,
/// `series.no_checkpoints`, `series.one_checkpoint`, `series.no_step`, `series.equal_steps`,
/// `series.missing_checkpoint`, `series.bad_index`.
Result<CheckpointSeries> findCheckpoints(const std::filesystem::path& path);

}  // namespace moescope::engine
