// What the tests of the real engine share: models, steps, outputs as bytes. Not for the fake engine.
#pragma once

#include <QTest>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/engine/api/engine.h"

namespace moescope::tests {

inline std::filesystem::path demoModelFolder() { return MOESCOPE_RESOURCES "/demo/model"; }
inline std::filesystem::path checkpointFolder(const std::string& name) {
  return std::filesystem::path(MOESCOPE_TEST_DATA "/checkpoints") / name;
}

/// The value, or the end of the program with the error's text.
template <class T>
T orDie(Result<T> result) {
  if (!result) qFatal("%s", result.error().text().c_str());
  return *std::move(result);
}

inline std::shared_ptr<const checkpoint::Checkpoint> openCheckpoint(
    const std::filesystem::path& folder,
    checkpoint::Definition definition = checkpoint::Definition::Authors) {
  return orDie(checkpoint::Checkpoint::open(folder, {}, definition));
}

inline std::shared_ptr<engine::Model> loadModel(const std::filesystem::path& folder,
                                                engine::LoadOptions options = {}) {
  if (options.device == "auto") options.device = "cpu";
  return orDie(orDie(engine::loadEngine())->load(openCheckpoint(folder), options, {}, {}));
}

inline std::shared_ptr<engine::Model> loadModel(
    const std::filesystem::path& folder, const std::string& device, engine::Dtype dtype = engine::Dtype::F32,
    checkpoint::Definition definition = checkpoint::Definition::Authors) {
  engine::LoadOptions options;
  options.device = device;
  options.dtype = dtype;
  return orDie(orDie(engine::loadEngine())->load(openCheckpoint(folder, definition), options, {}, {}));
}

/// Ids inside every test model's vocabulary that touch many experts.
inline std::vector<std::int32_t> spreadIds(const engine::Model& model, int count) {
  const int vocabulary = model.checkpoint().description().vocabularySize;
  std::vector<std::int32_t> ids(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) ids[static_cast<std::size_t>(i)] = (17 + i * 397) % vocabulary;
  return ids;
}

template <class T>
std::string bytesOf(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

/// Everything that steps gave, bit for bit; equal however the tokens were cut into steps.
struct Trail {
  std::string logits;                     ///< all rows
  std::vector<std::string> routerLogits;  ///< a router each
  std::vector<std::string> ids, weights;  ///< a router each; choices that end a row early are left out
  bool operator==(const Trail&) const = default;

  void add(const engine::StepOutput& output) {
    logits += bytesOf(output.logits);
    routerLogits.resize(output.routers.size());
    ids.resize(output.routers.size());
    weights.resize(output.routers.size());
    for (std::size_t r = 0; r < output.routers.size(); ++r) {
      const auto& tap = output.routers[r];
      routerLogits[r] += bytesOf(tap.logits);
      for (std::size_t i = 0; i < tap.ids.size(); ++i) {
        if (tap.ids[i] < 0) continue;
        ids[r] += bytesOf(tap.ids.subspan(i, 1));
        weights[r] += bytesOf(tap.weights.subspan(i, 1));
      }
    }
  }
};

/// Forwards the ids in steps of these sizes (the last one is repeated). Tokens are prefill below
/// `decodeFrom`.
inline Trail forwardAll(engine::Session& session, std::span<const std::int32_t> ids,
                        const std::vector<int>& steps, std::int64_t decodeFrom = 1LL << 40) {
  Trail trail;
  std::size_t number = 0;
  for (std::size_t first = 0; first < ids.size();) {
    const auto size = static_cast<std::size_t>(steps[std::min(number++, steps.size() - 1)]);
    engine::StepRequest request;
    request.ids = ids.subspan(first, std::min(size, ids.size() - first));
    request.decode = session.position() >= decodeFrom;
    request.logits = engine::LogitRows::All;
    trail.add(orDie(session.forward(request)));
    first += request.ids.size();
  }
  return trail;
}

}  // namespace moescope::tests
