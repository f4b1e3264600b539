#include "core/engine/generation/checkpoint_series.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "core/base/mapped_file.h"
#include "core/checkpoint/checkpoint_files.h"
#include "core/checkpoint/gguf_model.h"
#include "core/checkpoint/hf_cache.h"
#include "core/engine/generation/series_index.h"

namespace moescope::engine {

namespace {

namespace fs = std::filesystem;

constexpr auto kConfigFile = "config.json";
constexpr std::size_t kMaxRefBytes = 256;

bool isDigit(char c) { return c >= '0' && c <= '9'; }

/// The digits that follow `word` in `name` (after '-', '_', '=' or nothing); empty if there are none.
std::string_view numberAfter(std::string_view name, std::string_view word) {
  for (auto at = name.find(word); at != name.npos; at = name.find(word, at + 1)) {
    auto rest = name.substr(at + word.size());
    if (!rest.empty() && (rest[0] == '-' || rest[0] == '_' || rest[0] == '=')) rest.remove_prefix(1);
    const auto end = std::find_if_not(rest.begin(), rest.end(), isDigit);
    if (end != rest.begin()) return rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  }
  return {};
}

std::optional<std::int64_t> wholeNumber(std::string_view digits) {
  std::int64_t number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool whole = !digits.empty() && read.ec == std::errc() && read.ptr == digits.data() + digits.size();
  return whole ? std::optional(number) : std::nullopt;
}

/// "41B", "1.5T", "32768" after the word tokens.
std::optional<std::int64_t> tokensIn(std::string_view name) {
  const auto whole = numberAfter(name, "tokens");
  if (whole.empty()) return std::nullopt;
  const char* end = name.data() + name.size();
  double amount = 0;
  const auto read = std::from_chars(whole.data(), end, amount, std::chars_format::fixed);
  if (read.ec != std::errc()) return std::nullopt;
  double unit = 1;
  if (read.ptr != end) {
    switch (*read.ptr) {
      case 'k': unit = 1e3; break;
      case 'm': unit = 1e6; break;
      case 'b': unit = 1e9; break;
      case 't': unit = 1e12; break;
      default: break;
    }
  }
  constexpr double kMost = 9e18;
  return amount * unit < kMost ? std::optional(std::llround(amount * unit)) : std::nullopt;
}

bool isGgufFile(const fs::path& path) {
  std::error_code ignored;
  return checkpoint::isGgufPath(path) && fs::is_regular_file(path, ignored);
}

bool hasGguf(const fs::path& folder) {
  const auto file = checkpoint::ggufFileIn(folder);
  return !file || !file->empty();  // several are an error when it is opened
}

/// A folder with weights, or a GGUF file.
bool hasWeights(const fs::path& folder) {
  std::error_code ignored;
  if (isGgufFile(folder)) return true;
  return hasGguf(folder) || fs::exists(folder / "model.safetensors", ignored) ||
         fs::exists(folder / "model.safetensors.index.json", ignored);
}

/// True where nothing is taken from a shared folder.
bool hasConfig(const fs::path& folder) {
  std::error_code ignored;
  return isGgufFile(folder) || fs::exists(folder / kConfigFile, ignored);
}

/// Entries by name; hidden ones left out. What cannot be listed is empty.
std::vector<fs::path> entriesOf(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (!at->path().filename().string().starts_with('.')) entries.push_back(at->path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::string nameOf(const fs::path& folder) {
  std::error_code ignored;
  const auto path = fs::weakly_canonical(folder, ignored);
  return path.filename().empty() ? path.parent_path().filename().string() : path.filename().string();
}

/// The name of a step's folder, or of its GGUF file without the ending.
std::string labelOf(const fs::path& step) { return isGgufFile(step) ? step.stem().string() : nameOf(step); }

tl::unexpected<Error> noStep(const fs::path& place, const std::string& name) {
  return fail("series.no_step", place.string(), name, "the name does not say a training step",
              R"(name it as in "step-1000", or list the steps in an index)");
}

Result<std::vector<SeriesCheckpoint>> inFolder(const fs::path& folder) {
  const fs::path shared = hasConfig(folder) ? folder : fs::path();
  std::vector<SeriesCheckpoint> found;
  for (const auto& entry : entriesOf(folder)) {
    std::error_code ignored;
    if ((!fs::is_directory(entry, ignored) && !isGgufFile(entry)) || !hasWeights(entry)) continue;
    const std::string label = labelOf(entry);
    const auto point = trainingPoint(label);
    if (!point.step) return noStep(folder, label);
    found.push_back({entry, hasConfig(entry) ? fs::path() : shared, label, *point.step, point.tokens});
  }
  return found;
}

Result<std::vector<SeriesCheckpoint>> inIndex(const fs::path& file) {
  const auto entries = readSeriesIndex(file);
  if (!entries) return fail(entries.error());
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const fs::path shared = hasConfig(folder) ? folder : fs::path();
  std::vector<SeriesCheckpoint> found;
  for (const auto& entry : *entries) {
    const fs::path place = folder / entry.folder;
    if (!hasWeights(place))
      return fail("series.missing_checkpoint", file.string(), entry.where,
                  fmt::format("there are no weights in {}", entry.folder),
                  "fetch the checkpoint, or take it out of the index");
    const std::string label = entry.label.empty() ? labelOf(place) : entry.label;
    const auto named = trainingPoint(label);
    const auto step = entry.point.step ? entry.point.step : named.step;
    if (!step) return noStep(file, entry.folder);
    found.push_back({place, hasConfig(place) ? fs::path() : shared, label, *step,
                     entry.point.tokens ? entry.point.tokens : named.tokens});
  }
  return found;
}

/// Revisions by the names of their branches and tags; "main" and others without a step are no part of a
/// training, and what was not fetched cannot be run.
std::vector<SeriesCheckpoint> inCache(const fs::path& repository) {
  std::vector<SeriesCheckpoint> found;
  for (const auto& ref : entriesOf(repository / "refs")) {
    const std::string label = ref.filename().string();
    const auto point = trainingPoint(label);
    auto commit = readTextFile(ref, kMaxRefBytes);
    if (!point.step || !commit) continue;
    commit->erase(commit->find_last_not_of(" \n\r\t") + 1);
    const bool plain = !commit->empty() && commit->find('/') == commit->npos && *commit != "..";
    const fs::path snapshot = repository / "snapshots" / *commit;
    if (plain && hasWeights(snapshot) && (hasConfig(snapshot) || hasGguf(snapshot)))
      found.push_back({snapshot, {}, label, *point.step, point.tokens});
  }
  return found;
}

Result<CheckpointSeries> sorted(const fs::path& path, CheckpointSeries series) {
  auto& checkpoints = series.checkpoints;
  if (checkpoints.empty())
    return fail(
        "series.no_checkpoints", path.string(), "", "there are no checkpoints of a training in it",
        R"(give a folder with one folder or GGUF file a step, such as "step-1000", or an index of them)");
  if (checkpoints.size() == 1)
    return fail("series.one_checkpoint", path.string(), checkpoints[0].label,
                "there is one checkpoint only, which makes no series", "record it as a corpus run");
  std::sort(checkpoints.begin(), checkpoints.end(), [](const auto& a, const auto& b) {
    return a.step != b.step ? a.step < b.step : a.label < b.label;
  });
  const auto equal = std::adjacent_find(checkpoints.begin(), checkpoints.end(),
                                        [](const auto& a, const auto& b) { return a.step == b.step; });
  if (equal != checkpoints.end())
    return fail("series.equal_steps", path.string(), fmt::format("step {}", equal->step),
                fmt::format("{} and {} have the same step", equal->label, std::next(equal)->label),
                "leave one of them out");
  return series;
}

}  // namespace

TrainingPoint trainingPoint(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  TrainingPoint point;
  for (const char* word : {"step", "steps", "checkpoint", "ckpt", "iteration", "iter"}) {
    point.step = wholeNumber(numberAfter(lower, word));
    if (point.step) break;
  }
  if (!point.step) point.step = wholeNumber(lower);
  if (point.step && *point.step < 0) point.step.reset();
  point.tokens = tokensIn(lower);
  return point;
}

Result<std::shared_ptr<const checkpoint::Checkpoint>> SeriesCheckpoint::open() const {
  auto opened = checkpoint::Checkpoint::open(folder, sharedFolder);
  if (opened) return opened;
  Error error = opened.error();
  error.where = error.where.empty() ? label : label + ", " + error.where;
  return fail(std::move(error));
}

Result<CheckpointSeries> findCheckpoints(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    return fail("series.not_found", path.string(), "", "there is no such file or folder", "check the path");
  CheckpointSeries series;
  Result<std::vector<SeriesCheckpoint>> found;
  if (!fs::is_directory(path, ignored)) {
    series.name = nameOf(path.has_parent_path() ? path.parent_path() : fs::path("."));
    found = inIndex(path);
  } else if (checkpoint::isCachedRepository(nameOf(path))) {
    series.name = checkpoint::repositoryName(nameOf(path));
    found = inCache(path);
  } else {
    series.name = nameOf(path);
    found = isSeriesIndex(path / "index.json") ? inIndex(path / "index.json") : inFolder(path);
  }
  if (!found) return fail(found.error());
  series.checkpoints = *std::move(found);
  return sorted(path, std::move(series));
}

}  // namespace moescope::engine
