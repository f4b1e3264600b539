// CorpusRun: teacher forcing over a labelled corpus into a trace, resumable.
// Not for generation (generation.h).
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "core/base/progress.h"
#include "core/engine/api/engine.h"
#include "core/tokenizer/tokenizer.h"
#include "core/trace/trace_store.h"

namespace moescope::engine {

enum class LabelSource : std::uint8_t {
  Folder,  ///< corpus/<label>/*.txt
  File,    ///< corpus/<label>.txt, cut at a separator
  Field,   ///< JSON lines with "text" and "label" (or "labels": {key: value})
};

struct CorpusSettings {
  std::filesystem::path corpus;             ///< folder or .jsonl file
  std::optional<LabelSource> labelFrom;     ///< guessed from what is there if not given
  std::string separator = "<|endoftext|>";  ///< between documents of a file
  std::int64_t maxTokensPerLabel = 0;       ///< 0 = all
  std::int64_t maxTokensPerText = 0;        ///< 0 = all
  int contextTokens = 0;                    ///< window length; 0 = the model's maximum positions
  trace::CaptureLevel capture = trace::CaptureLevel::Weights;
  steering::SteeringProgram program;
  bool alternatives = true;  ///< record the most probable tokens of each place
  std::string runName;
  bool resume = false;
  std::optional<trace::RunId> resumeRun;  ///< which one; else the last that was stopped
  // Of a checkpoint of a training (record_series.h).
  std::string checkpointLabel;
  std::optional<std::int64_t> trainStep, trainTokens;
};

struct CorpusText {
  std::string label;  ///< value of the key "label"
  std::string text;
  std::string origin;                                       ///< file inside the corpus
  std::int64_t document = 0;                                ///< place in its file, from 0
  std::vector<std::pair<std::string, std::string>> labels;  ///< further ones, by key
};

/// Reads the corpus in a fixed order (labels and files by name). Errors: `corpus.not_found`,
/// `corpus.empty`, `corpus.not_utf8` (file, byte), `corpus.bad_line` (file, line), each before anything runs.
Result<std::vector<CorpusText>> readCorpus(const CorpusSettings& settings);

struct CorpusOutcome {
  trace::RunId run = 0;
  std::int64_t sequences = 0, tokens = 0;
  double meanLogProb = 0.0;  ///< nat a token, over tokens with one; NaN without any
  /// Tokens whose logits were not finite (a diverged checkpoint).
  std::int64_t undefinedLogProbs = 0;
  bool cancelled = false;  ///< what was recorded is kept; `resume` goes on (run 0: nothing was yet)
};

/// Every text starts with the model's begin token (or with the separator, where that is a special token) and
/// is cut into consecutive windows; each window is a sequence with the labels `label`, those of the text,
/// `source`, `document` and `window`. In an encoder-decoder a window is an encoder's input, and its decoder
/// sees the start token alone, which takes one place of the context. `started` is told the run as soon as
/// there is one. Errors: those of readCorpus, `corpus.resume_mismatch` (says what differs),
/// `corpus.context_too_long`, `steering.*`, `trace.*`, `machine.*`; what was recorded before is kept.
Result<CorpusOutcome> recordCorpus(const std::shared_ptr<Model>& model,
                                   const std::shared_ptr<const tokenizer::Tokenizer>& tokenizer,
                                   trace::TraceStore& store, const CorpusSettings& settings,
                                   const ProgressCallback& progress, std::stop_token stop,
                                   const std::function<void(trace::RunId)>& started = {});

}  // namespace moescope::engine
