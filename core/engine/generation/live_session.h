// LiveSession: the engine thread. Commands come from any thread and return at once; what happened
// comes back as events and as a status to look at. Not for widgets: it knows no Qt.
#pragma once

#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/generation/corpus_run.h"
#include "core/engine/generation/generation.h"
#include "core/engine/generation/record_series.h"

namespace moescope::engine {

enum class LiveState : std::uint8_t { NoModel, Loading, Idle, Running, Stopping, Failed };

/// A copy to look at from any thread.
struct LiveStatus {
  LiveState state = LiveState::NoModel;
  std::optional<Progress> progress;  ///< of loading, of a corpus run or of a series
  std::optional<trace::RunId> run;   ///< being written or written last
  FinishReason finish = FinishReason::Running;
  std::int64_t promptTokens = 0, generatedTokens = 0, maxTokens = 0;
  double tokensPerSecond = 0.0;  ///< decode, over the last second or less
  double prefillSeconds = 0.0;
  bool canContinue = false;  ///< a generation is there to step or continue
};

struct LiveEvent {
  enum class Kind : std::uint8_t {
    StateChanged,  ///< look at status()
    ModelLoaded,
    ModelUnloaded,
    GenerationStarted,
    TokenAppended,   ///< `token`
    RunSwitched,     ///< counterfactual replay or continue-from: status().run is new
    EffectsChanged,  ///< look at effects()
    GenerationEnded,
    CorpusEnded,  ///< or a series
    Failed,       ///< `error`; the session goes on
  };
  Kind kind = Kind::StateChanged;
  std::optional<GeneratedToken> token;
  std::optional<Error> error;
};

/// All methods thread-safe and quick. The receiver is called on the engine thread.
class LiveSession {
 public:
  using EngineFactory = std::function<Result<std::shared_ptr<Engine>>()>;

  explicit LiveSession(EngineFactory factory = loadEngine);
  ~LiveSession();  ///< stops, closes the run, joins

  void setReceiver(std::function<void(const LiveEvent&)> receiver);

  /// The model before stays until the other is there; it goes first only where its memory is what is missing,
  /// and stays where even that would not be enough.
  void loadModel(std::filesystem::path folder, LoadOptions options);
  void unloadModel();
  /// Where the next run goes; null = record nothing. Another store than before stops what is being
  /// written and closes its run; when the future is ready the old file can be closed.
  std::future<void> setStore(std::shared_ptr<trace::TraceStore> store);

  void generate(GenerationSettings settings);  ///< ends the run before
  void stepOne();                              ///< one token of the current generation, past its limit too
  void resume(int moreTokens);                 ///< Continue: that many tokens more from where it is
  void continueFrom(std::int64_t row);
  /// Closes the run of a text that could be continued; it no longer can. Ready when that is done.
  std::future<void> endText();
  void stop();  ///< also cancels loading, prefill and corpus runs, and takes back what waits
  /// From now on or counterfactual; kept for later generations. An empty or disabled program is off.
  void setProgram(steering::SteeringProgram program, SteeringMode mode);
  void recordCorpus(CorpusSettings settings);
  /// Needs no model; one that is loaded stays, unless the checkpoints need its memory.
  void recordSeries(SeriesSettings settings);

  [[nodiscard]] LiveStatus status() const;
  [[nodiscard]] std::shared_ptr<Model> model() const;  ///< null if none
  [[nodiscard]] std::shared_ptr<const tokenizer::Tokenizer> tokenizer() const;
  [[nodiscard]] std::vector<steering::RuleEffect> effects() const;

 private:
  class Worker;
  std::unique_ptr<Worker> m_worker;
};

}  // namespace moescope::engine
