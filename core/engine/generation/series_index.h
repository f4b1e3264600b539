// Series index: a file that lists the checkpoints of a training. Private to checkpoint_series.h.
#pragma once

#include "core/engine/generation/checkpoint_series.h"

namespace moescope::engine {

/// One line of an index; `where` is for messages.
struct IndexEntry {
  std::string folder;  ///< inside the index's folder
  std::string label;
  TrainingPoint point;  ///< what the index says; the folder's name counts where it says nothing
  std::string where;
};

/// JSON: an object with a list `checkpoints` (or `snapshots`) of objects with `folder` and, if they are
/// known, `step`, `tokens` (or `tokens_seen`) and `label`. CSV: the same names in the first line. Errors:
/// `series.bad_index` (file and place), `file.*`.
Result<std::vector<IndexEntry>> readSeriesIndex(const std::filesystem::path& file);

/// True if a JSON file has a list of checkpoints: index.json may be about something else.
bool isSeriesIndex(const std::filesystem::path& file);

}  // namespace moescope::engine
