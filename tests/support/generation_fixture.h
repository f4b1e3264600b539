// What the tests of the generation folder share: the demo's checkpoint and tokenizer, a trace in a
// temporary folder, a text written to its end. Not for tests of other folders.
#pragma once

#include <QTemporaryDir>

#include <filesystem>
#include <memory>
#include <string>

#include "core/engine/generation/generation.h"
#include "tests/support/fake_engine.h"
#include "tests/support/run_dump.h"

/// Shows the first line that differs.
#define COMPARE_DUMPS(...)                                                          \
  do {                                                                              \
    const std::string difference = ::moescope::tests::firstDifference(__VA_ARGS__); \
    QVERIFY2(difference.empty(), difference.c_str());                               \
  } while (false)

namespace moescope::tests {

inline std::filesystem::path demoFolder() { return MOESCOPE_RESOURCES "/demo/model"; }

inline std::shared_ptr<const tokenizer::Tokenizer> demoTokenizer() {
  static const auto tokenizer = tokenizer::Tokenizer::open(demoFolder() / "tokenizer.json");
  if (!tokenizer) qFatal("%s", tokenizer.error().text().c_str());
  return *tokenizer;
}

/// A trace that is gone with the object.
struct TemporaryTrace {
  explicit TemporaryTrace(const trace::StoreOptions& options = {})
      : file(folder.filePath("t.moescope").toStdString()) {
    auto created = trace::TraceStore::create(file, options);
    if (!created) qFatal("%s", created.error().text().c_str());
    store = *std::move(created);
  }

  QTemporaryDir folder;
  std::filesystem::path file;
  std::shared_ptr<trace::TraceStore> store;
};

/// So many tokens, whatever they are.
inline engine::GenerationSettings prompt(const std::string& text, int maxTokens) {
  engine::GenerationSettings settings;
  settings.prompt = text;
  settings.maxTokens = maxTokens;
  settings.ignoreEndTokens = true;
  return settings;
}

inline engine::GenerationSettings greedy(const std::string& text, int maxTokens) {
  auto settings = prompt(text, maxTokens);
  settings.sampler.temperature = 0;
  return settings;
}

/// More than two prefill blocks of 16.
inline const std::string kLongPrompt =
    "In the beginning the routers were without form, and every expert took the same share of the tokens; "
    "then training began, and one after another they turned to what they liked best.";

inline std::unique_ptr<engine::Generation> startOrDie(std::shared_ptr<engine::Model> model,
                                                      std::shared_ptr<trace::TraceStore> store,
                                                      const engine::GenerationSettings& settings) {
  auto started = engine::Generation::start(std::move(model), demoTokenizer(), std::move(store), settings);
  if (!started) qFatal("%s", started.error().text().c_str());
  return *std::move(started);
}

/// Steps until it is finished, or `steps` times.
inline void write(engine::Generation& generation, int steps = 1 << 20) {
  for (int i = 0; i < steps && generation.finished() == engine::FinishReason::Running; ++i) {
    if (const auto token = generation.step({}); !token) qFatal("%s", token.error().text().c_str());
  }
}

/// Ids and log-probabilities, bit for bit.
inline std::string dumpTokens(const engine::Generation& generation) {
  std::string text;
  for (const auto& token : generation.tokens()) {
    text += std::to_string(token.id) + " " + QByteArray::number(double(token.logProb), 'g', 9).toStdString() +
            "\n";
  }
  return text;
}

}  // namespace moescope::tests
