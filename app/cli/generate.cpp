// moescope generate: writes text live.
#include <chrono>
#include <cmath>
#include <csignal>
#include <iostream>
#include <memory>

#include <fmt/format.h>

#include "app/cli/command.h"
#include "app/cli/run_options.h"
#include "core/base/mapped_file.h"
#include "core/engine/generation/checkpoint_tokenizer.h"
#include "core/engine/generation/generation.h"

namespace moescope::cli {

namespace {

constexpr std::size_t kMaxPromptBytes = 64U << 20;

struct GenerateOptions {
  ModelOptions model;
  std::string prompt, promptFile, system, record, capture = "weights", mode = "from-now-on";
  std::vector<std::string> steer;
  engine::GenerationSettings settings;
  bool chat = false, json = false, quiet = false;
};

std::string_view name(engine::FinishReason reason) {
  switch (reason) {
    case engine::FinishReason::Running: return "running";
    case engine::FinishReason::MaxTokens: return "max_tokens";
    case engine::FinishReason::EndToken: return "end_token";
    case engine::FinishReason::StopString: return "stop_string";
    case engine::FinishReason::ContextFull: return "context_full";
    case engine::FinishReason::Stopped: return "stopped";
  }
  return "running";
}

/// Choices of each router per token, kept for --json.
class ChoiceLog {
 public:
  void note(std::int64_t position, int tokens, const engine::StepOutput& output) {
    m_rows.resize(static_cast<std::size_t>(position));  // a replay writes anew
    for (int t = 0; t < tokens; ++t) {
      auto routers = nlohmann::ordered_json::array();
      for (const auto& tap : output.routers) routers.push_back(choice(tap, static_cast<std::size_t>(t)));
      m_rows.push_back(std::move(routers));
    }
  }
  /// Null for a token that was not forwarded.
  [[nodiscard]] const nlohmann::ordered_json* row(std::size_t index) const {
    return index < m_rows.size() ? &m_rows[index] : nullptr;
  }

 private:
  static nlohmann::ordered_json choice(const engine::RouterTap& tap, std::size_t token) {
    auto ids = nlohmann::ordered_json::array();
    auto weights = nlohmann::ordered_json::array();
    const auto width = static_cast<std::size_t>(tap.width);
    for (std::size_t i = token * width; i < (token + 1) * width && tap.ids[i] >= 0; ++i) {
      ids.push_back(tap.ids[i]);
      weights.push_back(tap.weights[i]);
    }
    return {{"ids", std::move(ids)}, {"weights", std::move(weights)}};
  }

  std::vector<nlohmann::ordered_json> m_rows;
};

nlohmann::ordered_json number(float value) {
  return std::isnan(value) ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(value);
}

nlohmann::ordered_json tokensJson(const engine::Generation& generation, const engine::Model& model,
                                  const tokenizer::Tokenizer& tokenizer, const ChoiceLog& choices) {
  auto tokens = nlohmann::ordered_json::array();
  const auto& routers = model.checkpoint().description().routers;
  for (std::size_t i = 0; i < generation.tokens().size(); ++i) {
    const auto& token = generation.tokens()[i];
    nlohmann::ordered_json entry{
        {"position", i},
        {"id", token.id},
        {"piece", tokenizer.piece(token.id)},
        {"phase", static_cast<std::int64_t>(i) < generation.promptTokens() ? "prefill" : "decode"},
        {"log_prob", number(token.logProb)}};
    if (const auto* row = choices.row(i)) {
      auto list = nlohmann::ordered_json::array();
      for (std::size_t r = 0; r < row->size(); ++r) {
        nlohmann::ordered_json router{{"layer", routers[r].layer.value}};
        router.update((*row)[r]);
        list.push_back(std::move(router));
      }
      entry["routers"] = std::move(list);
    }
    tokens.push_back(std::move(entry));
  }
  return tokens;
}

nlohmann::ordered_json effectsJson(const engine::Generation& generation,
                                   const steering::SteeringProgram& program) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& effect : generation.effects()) {
    const auto* rule = program.find(effect.ruleId);
    list.push_back({{"rule", effect.ruleId},
                    {"title", rule != nullptr ? steering::ruleTitle(*rule) : std::string()},
                    {"tokens_in_scope", effect.tokensInScope},
                    {"chosen", effect.chosen},
                    {"natively_chosen", effect.nativelyChosen},
                    {"choices_added", effect.choicesAdded},
                    {"choices_dropped", effect.choicesDropped},
                    {"dropped_native_mass", effect.droppedNativeMass},
                    {"native_mass", effect.nativeMass}});
  }
  return list;
}

/// One text from start to end, with what the options ask for.
class GenerateCommand {
 public:
  explicit GenerateCommand(GenerateOptions options) : m_options(std::move(options)) {}
  int run();

 private:
  Result<void> prepare(std::stop_token stop);
  Result<void> fillTemplate();
  Result<void> write(std::stop_token stop);
  Result<void> replay(std::stop_token stop);
  Result<void> close();
  void show(const std::string& text);
  void showRest();
  void showStatistics() const;
  [[nodiscard]] bool counterfactual() const { return m_options.mode == "counterfactual"; }
  [[nodiscard]] nlohmann::ordered_json document() const;

  GenerateOptions m_options;
  steering::SteeringProgram m_program;
  RunnableModel m_loaded;
  std::shared_ptr<trace::TraceStore> m_store;
  std::unique_ptr<engine::Generation> m_generation;
  ChoiceLog m_choices;
  std::size_t m_shownBytes = 0;
  bool m_textEnded = false;
  double m_decodeSeconds = 0.0;
};

Result<void> GenerateCommand::prepare(std::stop_token stop) {
  auto& settings = m_options.settings;
  settings.prompt = m_options.prompt;
  if (!m_options.promptFile.empty()) {
    auto text = readTextFile(m_options.promptFile, kMaxPromptBytes);
    if (!text) return fail(text.error());
    settings.prompt = *std::move(text);
  }
  if (settings.prompt.empty()) {
    return fail("generate.empty_prompt", m_options.promptFile, "", "the prompt is empty", "give some text");
  }
  if (auto valid = engine::validate(settings.sampler); !valid) return valid;
  settings.capture = captureLevel(m_options.capture);
  auto program = readPrograms(m_options.steer);
  if (!program) return fail(program.error());
  m_program = *std::move(program);
  auto loaded = openModel(m_options.model, m_options.steer, progressPrinter(m_options.quiet), stop);
  if (!loaded) return fail(loaded.error());
  m_loaded = *std::move(loaded);
  if (m_options.chat) {
    if (auto filled = fillTemplate(); !filled) return filled;
  }
  // The file is made last, so that bad input leaves none behind.
  if (auto checked = engine::Generation::start(m_loaded.model, m_loaded.tokenizer, nullptr, settings, stop);
      !checked) {
    return fail(checked.error());
  }
  if (!m_options.record.empty()) {
    auto store = openForRecording(m_options.record);
    if (!store) return fail(store.error());
    m_store = *std::move(store);
  }
  auto generation = engine::Generation::start(m_loaded.model, m_loaded.tokenizer, m_store, settings, stop);
  if (!generation) return fail(generation.error());
  m_generation = *std::move(generation);
  m_generation->setProgress(progressPrinter(m_options.quiet));
  if (m_options.json) {
    m_generation->setObserver([this](std::int64_t position, int tokens, const engine::StepOutput& output) {
      m_choices.note(position, tokens, output);
    });
  }
  if (counterfactual()) return {};
  return m_generation->setProgram(m_program, engine::SteeringMode::FromNowOn, std::move(stop));
}

/// The prompt as a user's turn in the model's chat template; its special tokens are in the text.
Result<void> GenerateCommand::fillTemplate() {
  const auto chat = engine::openTemplate(m_loaded.model->checkpoint());
  if (!chat) return fail(chat.error());
  std::vector<chat::Turn> turns;
  if (!m_options.system.empty()) turns.push_back({"system", m_options.system});
  auto& settings = m_options.settings;
  turns.push_back({"user", settings.prompt});
  auto text = chat->render(turns);
  if (!text) return fail(text.error());
  settings.prompt = *std::move(text);
  const auto tokens = m_loaded.tokenizer->encode(settings.prompt, false);
  if (!tokens) return fail(tokens.error());
  for (const auto& token : *tokens) settings.promptIds.push_back(token.id);
  return {};
}

void GenerateCommand::show(const std::string& text) {
  if (m_options.json) return;
  m_shownBytes += text.size();
  std::cout << text << std::flush;
}

/// The end of the text, once.
void GenerateCommand::showRest() {
  const auto text = m_generation->text();
  if (m_textEnded) return;
  if (m_shownBytes < text.size()) show(text.substr(m_shownBytes));
  show("\n");
  m_textEnded = true;
}

Result<void> GenerateCommand::write(std::stop_token stop) {
  const auto start = std::chrono::steady_clock::now();
  while (m_generation->finished() == engine::FinishReason::Running) {
    const auto token = m_generation->step(stop);
    if (!token) return fail(token.error());
    show(token->text);
    // Whoever read has gone; what was recorded is kept.
    if (!std::cout) return fail("cancelled", "", "", "standard output is closed");
  }
  const auto end = std::chrono::steady_clock::now();
  m_decodeSeconds = std::chrono::duration<double>(end - start).count() - m_generation->prefillSeconds();
  return {};
}

/// The text that was written without rules is forwarded again under them, into a second run.
Result<void> GenerateCommand::replay(std::stop_token stop) {
  if (!counterfactual() || m_program.rules.empty()) return {};
  showRest();
  return m_generation->setProgram(m_program, engine::SteeringMode::Counterfactual, std::move(stop));
}

Result<void> GenerateCommand::close() {
  auto finished = m_generation->finish();
  showRest();
  const auto recording = m_generation->recordingError();
  if (m_store != nullptr) {
    if (auto closed = m_store->close(); !closed && finished) finished = fail(closed.error());
  }
  return recording ? fail(*recording) : finished;
}

void GenerateCommand::showStatistics() const {
  if (m_options.quiet) return;
  const auto prompt = m_generation->promptTokens();
  const auto generated =
      static_cast<std::int64_t>(m_generation->tokens().size()) - m_generation->givenTokens();
  std::string line = fmt::format("{} prompt tokens in {:.2f} s, {} tokens generated", prompt,
                                 m_generation->prefillSeconds(), generated);
  if (generated > 1 && m_decodeSeconds > 0) {
    line += fmt::format(", {:.1f} tokens/s", static_cast<double>(generated - 1) / m_decodeSeconds);
  }
  if (const auto run = m_generation->run()) line += fmt::format(", run {} of {}", *run, m_options.record);
  note(line);
}

nlohmann::ordered_json GenerateCommand::document() const {
  const auto& generation = *m_generation;
  const auto& model = *m_loaded.model;
  const auto run = generation.run();
  return {
      {"model", model.checkpoint().displayName()},
      {"device", model.device().id},
      {"dtype", model.dtypeName()},
      {"sampler", engine::toJson(m_options.settings.sampler)},
      {"prompt", m_options.settings.prompt},
      {"text", generation.text()},
      {"finish", name(generation.finished())},
      {"prompt_tokens", generation.promptTokens()},
      {"generated_tokens", static_cast<std::int64_t>(generation.tokens().size()) - generation.givenTokens()},
      {"prefill_seconds", generation.prefillSeconds()},
      {"decode_seconds", m_decodeSeconds},
      {"trace",
       m_options.record.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(m_options.record)},
      {"run", run ? nlohmann::ordered_json(*run) : nlohmann::ordered_json(nullptr)},
      {"steering_mode", m_program.rules.empty() ? "off" : m_options.mode},
      {"effects", effectsJson(generation, m_program)},
      {"tokens", tokensJson(generation, model, *m_loaded.tokenizer, m_choices)}};
}

int GenerateCommand::run() {
  const auto stop = interruptToken();
  std::signal(SIGPIPE, SIG_IGN);
  if (auto prepared = prepare(stop); !prepared) return report(prepared.error(), m_options.json);
  auto done = write(stop);
  if (done) done = replay(stop);
  const auto closed = close();
  const bool cancelled = !done && done.error().kind == "cancelled";
  if (!done && !cancelled) return report(done.error(), m_options.json);
  if (m_options.json) print(document());
  showStatistics();
  if (!closed) return report(closed.error(), false);
  return cancelled ? kCancelled : kDone;
}

void addSamplerOptions(CLI::App& command, engine::SamplerSettings& sampler) {
  command.add_option("--temperature", sampler.temperature, "0 is greedy")->capture_default_str();
  command.add_option("--top-p", sampler.topP, "Keep the likeliest tokens that hold this share; 1 is off")
      ->capture_default_str();
  command.add_option("--top-k", sampler.topK, "Keep the K likeliest tokens; 0 is off")->capture_default_str();
  command
      .add_option("--min-p", sampler.minP, "Keep tokens of at least this share of the likeliest; 0 is off")
      ->capture_default_str();
  command.add_option("--repetition-penalty", sampler.repetitionPenalty, "1 is off")->capture_default_str();
  command.add_option("--seed", sampler.seed, "The same seed gives the same text")->capture_default_str();
}

}  // namespace

void addGenerate(CLI::App& app, std::function<int()>& run) {
  auto options = std::make_shared<GenerateOptions>();
  auto* command = app.add_subcommand("generate", "Write text with a model and watch its routers");
  addModelOptions(*command, options->model);
  auto* prompt = command->add_option("-p,--prompt", options->prompt, "Text to continue");
  command->add_option("--prompt-file", options->promptFile, "File with the text to continue")
      ->type_name("FILE")
      ->excludes(prompt);
  command
      ->add_option(
          "--decoder-prefix", options->settings.decoderPrefix,
          "What the text begins with, of an encoder-decoder, whose prompt is the encoder's input: a target "
          "language such as fra_Latn")
      ->type_name("TEXT");
  auto* chat = command->add_flag("--chat", options->chat,
                                 "The text is a user's turn: it is put into the model's chat template");
  command->add_option("--system", options->system, "System turn before it")->needs(chat);
  command->add_option("-n,--max-tokens", options->settings.maxTokens, "Tokens to write at most")
      ->check(CLI::Range(1, 1 << 30))
      ->capture_default_str();
  addSamplerOptions(*command, options->settings.sampler);
  command->add_option("--stop", options->settings.stopStrings, "Text that ends the writing; repeatable")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  command->add_flag("--ignore-eos", options->settings.ignoreEndTokens, "Write on after an end token");
  command->add_option("--steer", options->steer, "Steering programs")->type_name("FILE");
  command
      ->add_option("--mode", options->mode,
                   "from-now-on: the rules act from the first token; counterfactual: the text is written "
                   "without them, then forwarded again under them into a second run")
      ->check(CLI::IsMember({"from-now-on", "counterfactual"}))
      ->capture_default_str();
  command->add_option("--record", options->record, "Trace to add the run to; made if it is not there")
      ->type_name("FILE");
  addCaptureOption(*command, options->capture);
  command->add_flag("--json", options->json, "One JSON document with tokens, log-probabilities and choices");
  command->add_flag("--quiet", options->quiet, "No progress and no statistics");
  command->footer(
      "Example:\n  moescope generate --model resources/demo/model --prompt \"Our relations with\" -n 40 "
      "--temperature 0 \\\n    --record demo.moescope");
  command->callback([options, &run] { run = [options] { return GenerateCommand(*options).run(); }; });
}

}  // namespace moescope::cli
