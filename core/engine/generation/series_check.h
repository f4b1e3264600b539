// Series check: that checkpoints are of one model and give the corpus the same tokens, before anything runs.
// Private to record_series.h.
#pragma once

#include "core/engine/generation/checkpoint_series.h"
#include "core/engine/generation/corpus_plan.h"

namespace moescope::engine {

/// The windows that every checkpoint of the series runs. Errors: `series.mixed_models`,
/// `series.different_tokens` (name both checkpoints and what differs), those of Checkpoint::open, the
/// tokenizer and CorpusPlan::make.
Result<CorpusPlan> checkSeries(const CheckpointSeries& series, const CorpusSettings& settings,
                               const ProgressCallback& progress, std::stop_token stop);

}  // namespace moescope::engine
