// The thread behind LiveSession: a queue of commands, one activity at a time. Private to LiveSession.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <stop_token>
#include <thread>

#include "core/engine/generation/live_session.h"

namespace moescope::engine {

enum class CommandKind : std::uint8_t {
  None,
  Program,  ///< taken up between two tokens; a later one replaces it while it waits
  Extend,   ///< step and continue: taken up between two tokens too
  Write,    ///< generate and continue-from
  Corpus,   ///< a corpus run or a series
  Load,
  Store,
  Unload,
};

class LiveSession::Worker {
 public:
  explicit Worker(EngineFactory factory);
  ~Worker();

  // Any thread.
  void post(CommandKind kind, std::function<void(Worker&, std::stop_token)> action);
  /// Ready when the engine thread writes to this store only.
  std::future<void> postStore(std::shared_ptr<trace::TraceStore> store);
  void stop();
  void setReceiver(std::function<void(const LiveEvent&)> receiver);
  [[nodiscard]] LiveStatus status() const;
  [[nodiscard]] std::shared_ptr<Model> model() const;
  [[nodiscard]] std::shared_ptr<const tokenizer::Tokenizer> tokenizer() const;
  [[nodiscard]] std::vector<steering::RuleEffect> effects() const;

  // Engine thread: the commands.
  void loadModel(const std::filesystem::path& folder, const LoadOptions& options, std::stop_token stop);
  void unloadModel();
  void setStore(std::shared_ptr<trace::TraceStore> store);
  void generate(const GenerationSettings& settings, std::stop_token stop);
  void stepOne(std::stop_token stop);
  void resume(int moreTokens, std::stop_token stop);
  void continueFrom(std::int64_t row, std::stop_token stop);
  void endText();
  void setProgram(const steering::SteeringProgram& program, SteeringMode mode, std::stop_token stop);
  void recordCorpus(const CorpusSettings& settings, std::stop_token stop);
  void recordSeries(const SeriesSettings& settings, std::stop_token stop);

 private:
  struct Command {
    CommandKind kind;
    std::function<void(Worker&, std::stop_token)> action;
  };
  struct Loaded {
    std::shared_ptr<Model> model;
    std::shared_ptr<const tokenizer::Tokenizer> tokenizer;
  };

  void run(std::stop_token threadStop);
  Result<Loaded> load(const std::filesystem::path& folder, const LoadOptions& options, std::stop_token stop);
  bool makeRoom(const Engine& engine, const checkpoint::Checkpoint& checkpoint, const LoadOptions& options);
  void write(std::int64_t maxSteps, std::stop_token stop);
  bool writeOne(std::stop_token stop);
  void takeUpBetweenTokens(std::stop_token stop);
  void finishGeneration();
  void noteToken(const GeneratedToken& token);
  void noteEffects();
  void noteGeneration();
  [[nodiscard]] bool commandWaits() const;
  void enter(LiveState state);
  void leave();  ///< back to Idle, or NoModel without one
  void emit(LiveEvent::Kind kind);
  void emit(const LiveEvent& event);
  void failed(const Error& error);
  ProgressCallback progress();
  template <class Change>
  void change(const Change& apply) {
    const std::lock_guard lock(m_mutex);
    apply(m_status);
  }

  EngineFactory m_factory;

  // Engine thread only.
  std::shared_ptr<trace::TraceStore> m_store;
  std::unique_ptr<Generation> m_generation;
  std::size_t m_announced = 0;  // tokens of the generation that were told
  bool m_writing = false;       // between two tokens of write()
  steering::SteeringProgram m_program;
  std::deque<std::chrono::steady_clock::time_point> m_tokenTimes;  // of the last second

  mutable std::mutex m_mutex;  // guards everything below
  std::condition_variable_any m_wake;
  std::deque<Command> m_queue;
  CommandKind m_running = CommandKind::None;
  std::stop_source m_activity;
  std::shared_ptr<trace::TraceStore> m_wantedStore;
  LiveStatus m_status;
  std::shared_ptr<Model> m_model;
  std::shared_ptr<const tokenizer::Tokenizer> m_tokenizer;
  std::vector<steering::RuleEffect> m_effects;
  std::shared_ptr<const std::function<void(const LiveEvent&)>> m_receiver;

  std::jthread m_thread;  // last: starts when everything else is there
};

}  // namespace moescope::engine
