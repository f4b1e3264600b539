// CorpusPlan: which windows of which texts a corpus run forwards, in order, and what makes two plans the
// same. Not for running it (corpus_run.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/engine/generation/corpus_run.h"

namespace moescope::engine {

/// One sequence of the run.
struct CorpusWindow {
  std::vector<std::int32_t> ids;  ///< of an encoder-decoder the source, then the decoder's start token
  std::int64_t promptLength = 0;  ///< of `ids`, but for a decoder's start token
  std::string textHash;  ///< of the whole text, so that windows of one text are known to belong together
  std::vector<std::pair<std::string, std::string>> labels;
};

struct CorpusPlan {
  std::vector<CorpusWindow> windows;
  std::int64_t tokens = 0;
  std::int64_t context = 0;         ///< longest window, in tokens
  nlohmann::ordered_json settings;  ///< kept as the run's sampler JSON

  /// Tokenises and cuts. Errors: those of readCorpus, `corpus.context_too_long`, `tokenizer.*`, `cancelled`.
  static Result<CorpusPlan> make(const checkpoint::Checkpoint& checkpoint,
                                 const tokenizer::Tokenizer& tokenizer, const CorpusSettings& settings,
                                 const ProgressCallback& progress, std::stop_token stop);
};

/// Names what differs between a recorded run and what would be recorded now ("the context, the
/// program"); empty if the run can go on.
std::string resumeDifferences(const trace::TraceStore& store, const trace::RunRecord& run,
                              const trace::ModelRecord& model, trace::CaptureLevel capture,
                              const CorpusPlan& plan);

}  // namespace moescope::engine
