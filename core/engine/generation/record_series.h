// recordSeries: the same labelled corpus through all checkpoints of a training, one run each, resumable.
// Not for what the runs then show (core/analysis).
#pragma once

#include "core/engine/generation/checkpoint_series.h"
#include "core/engine/generation/corpus_run.h"

namespace moescope::engine {

struct SeriesSettings {
  std::filesystem::path checkpoints;  ///< as findCheckpoints() takes it
  CorpusSettings corpus;              ///< `resume` goes on with the file's last series
  LoadOptions load;
  std::string name;  ///< of the series; that of the checkpoints if empty
};

/// One checkpoint that is through.
struct SeriesStep {
  std::string label;
  std::int64_t step = 0;
  std::optional<std::int64_t> tokens;
  CorpusOutcome outcome;
  bool kept = false;  ///< was recorded before; `outcome` knows only run, sequences and tokens
};

struct SeriesOutcome {
  std::int64_t series = 0;  ///< 0: nothing was recorded yet
  std::string name;
  std::size_t checkpoints = 0;    ///< that were found
  std::vector<SeriesStep> steps;  ///< in order of training
  bool cancelled = false;         ///< what was recorded is kept; `resume` goes on
};

/// Told on the thread that records: a run that started, a checkpoint that is through; a checkpoint that does
/// not fit into memory, where true says that there is more room now.
struct SeriesEvents {
  std::function<void(trace::RunId)> started;
  std::function<void(const SeriesStep&)> finished;
  std::function<bool(const checkpoint::Checkpoint&, const LoadOptions&)> makeRoom;
};

/// Loads the weights of one checkpoint at a time. Before anything runs it makes sure that all are checkpoints
/// of one model and give the corpus the same tokens. A checkpoint whose logits are not finite is recorded as
/// it is; its outcome counts them. At capture ids the most probable tokens of each place are left out.
/// Progress is that of the whole series, in tokens. Errors: those of findCheckpoints, Checkpoint::open and
/// recordCorpus, `series.mixed_models`, `series.different_tokens`, `series.resume_mismatch` (says what
/// differs); what was recorded is kept.
Result<SeriesOutcome> recordSeries(Engine& engine, trace::TraceStore& store, const SeriesSettings& settings,
                                   const ProgressCallback& progress, std::stop_token stop,
                                   const SeriesEvents& events = {});

}  // namespace moescope::engine
