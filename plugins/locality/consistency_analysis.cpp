#include "plugins/locality/consistency_analysis.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <tuple>

#include <fmt/format.h>

#include "core/analysis/layer_jobs.h"
#include "core/analysis/parameter_lists.h"
#include "core/analysis/parameter_values.h"
#include "core/analysis/result_cells.h"
#include "core/analysis/routing_consistency.h"
#include "core/analysis/unit_sums.h"

namespace moescope::locality {

using namespace analysis;

namespace {

/// Tokens of the simulated random control of the cache: its hit rate has a standard error below 0.002.
constexpr std::int64_t kControlTokens = 20'000;

struct Settings {
  LayerSettings layers;
  std::vector<int> windows;
  std::vector<double> ratios;
  std::int64_t tokens = 0;
};

Result<Settings> settingsOf(const AnalysisParameters& parameters, const std::vector<RouterSpec>& routers) {
  const auto layers = layerSettings(parameters, routers);
  if (!layers) return fail(layers.error());
  const auto windows = wholesParameter(parameters, "windows", 1, 4096);
  if (!windows) return fail(windows.error());
  const auto ratios = realsParameter(parameters, "cache", 0.01, 1000.0);
  if (!ratios) return fail(ratios.error());
  const auto tokens = wholeParameter(parameters, "tokens", 1, trace::kMostTokens);
  if (!tokens) return fail(tokens.error());
  return Settings{*layers, *windows, *ratios, *tokens};
}

int cacheExpertsOf(const RouterSpec& router, double ratio) {
  return std::clamp(static_cast<int>(std::lround(ratio * router.topK)), 1, router.experts);
}

/// One window size (and one cache ratio for hits) of a layer.
struct Part {
  UnitSums histogram;          // [units, m + 1]
  std::vector<UnitSums> hits;  // [ratios] of [units, 2]
  std::vector<double> byExpert;
  std::int64_t windows = 0;
};
struct Layer {
  std::string name;
  int experts = 0, topK = 0;
  std::vector<Part> parts;  // [windows]
};

double hitRate(std::span<const double> sums) { return sums[0] / sums[1]; }

class Consistency {
 public:
  Consistency(const AnalysisInput& input, const AnalysedRun& run, const Settings& settings)
      : m_input(input),
        m_run(run),
        m_settings(settings),
        m_texts(spreadTexts(run.sequences, settings.tokens)),
        m_units(resamplingUnits(m_texts)),
        m_draws(m_units.units, m_units.units > 1 ? settings.layers.draws : 0, settings.layers.seed) {}

  Result<AnalysisResult> result(const AnalysisInfo& info);

 private:
  Result<Layer> layerOf(int index);
  Part partOf(const std::vector<TextChoices>& pieces, const RouterSpec& router, int window) const;
  double randomHits(const std::vector<TextChoices>& pieces, const RouterSpec& router, int window, int cache);
  Result<void> addSegments(const Layer& layer, std::size_t w, const UnitSums& sums, std::int64_t windows,
                           double random, ResultTable& table) const;
  Result<void> addSegmentTable(const std::vector<Layer>& layers, AnalysisResult& out) const;
  Result<void> addCacheTable(const std::vector<Layer>& layers, AnalysisResult& out) const;
  void addExpertMatrices(const std::vector<Layer>& layers, AnalysisResult& out) const;
  void addNotes(AnalysisResult& out) const;

  using ControlKey = std::tuple<int, int, int, int>;  // experts, k, window, cache
  const AnalysisInput& m_input;
  const AnalysedRun& m_run;
  const Settings& m_settings;
  std::vector<trace::SequenceRecord> m_texts;
  ResamplingUnits m_units;
  TextDraws m_draws;
  std::mutex m_mutex;
  std::map<ControlKey, double> m_control;
};

Part Consistency::partOf(const std::vector<TextChoices>& pieces, const RouterSpec& router, int window) const {
  const int texts = static_cast<int>(m_texts.size());
  Part out{UnitSums(m_units.units, window + 1), {}, {}, 0};
  const auto histograms = windowHistograms(pieces, texts, router.experts, window, m_input.stop);
  for (std::size_t text = 0; text < histograms.size(); ++text) {
    const std::span<double> row = out.histogram.row(m_units.unitOf[text]);
    for (std::size_t c = 0; c < row.size(); ++c) row[c] += static_cast<double>(histograms[text].pairs[c]);
    out.windows += histograms[text].windows;
  }
  for (const WindowHistogram& histogram : expertWindowHistograms(pieces, router.experts, window))
    out.byExpert.push_back(segmentRouting(histogram).f1);
  for (const double ratio : m_settings.ratios) {
    UnitSums& sums = out.hits.emplace_back(m_units.units, 2);
    const auto hits =
        cacheHits(pieces, texts, router.experts, window, cacheExpertsOf(router, ratio), m_input.stop);
    for (std::size_t text = 0; text < hits.size(); ++text) {
      sums.row(m_units.unitOf[text])[0] += static_cast<double>(hits[text].hits);
      sums.row(m_units.unitOf[text])[1] += static_cast<double>(hits[text].requests);
    }
  }
  return out;
}

double Consistency::randomHits(const std::vector<TextChoices>& pieces, const RouterSpec& router, int window,
                               int cache) {
  const ControlKey key{router.experts, router.topK, window, cache};
  {
    const std::lock_guard lock(m_mutex);
    if (const auto known = m_control.find(key); known != m_control.end()) return known->second;
  }
  const auto random =
      randomChoices(pieces, router.experts, router.topK, kControlTokens, m_settings.layers.seed);
  const auto hits =
      cacheHits(random, static_cast<int>(m_texts.size()), router.experts, window, cache, m_input.stop);
  double sum = 0.0, requests = 0.0;
  for (const CacheHits& text : hits) {
    sum += static_cast<double>(text.hits);
    requests += static_cast<double>(text.requests);
  }
  const std::lock_guard lock(m_mutex);
  return m_control[key] = sum / requests;
}

Result<Layer> Consistency::layerOf(int index) {
  const RouterSpec& router = m_run.routers[static_cast<std::size_t>(index)];
  const auto pieces = textChoices(m_input.store, m_run.record.id, index, m_texts, m_input.stop);
  if (!pieces) return fail(pieces.error());
  Layer out{std::to_string(router.layer.value), router.experts, router.topK, {}};
  for (const int window : m_settings.windows) {
    out.parts.push_back(partOf(*pieces, router, window));
    for (const double ratio : m_settings.ratios)
      randomHits(*pieces, router, window, cacheExpertsOf(router, ratio));
    if (m_input.stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
  }
  return out;
}

Result<void> Consistency::addSegments(const Layer& layer, std::size_t w, const UnitSums& sums,
                                      std::int64_t windows, double random, ResultTable& table) const {
  const SegmentRouting best = segmentRouting(sums.total());
  const auto intervals = bootstrapSums(
      sums, m_draws, [](std::span<const double> pairs) { return std::vector{segmentRouting(pairs).f1}; },
      m_input.stop);
  if (!intervals) return fail(intervals.error());
  std::vector<ResultCell> row{layer.name, cell(m_settings.windows[w]), cell(best.f1)};
  addInterval(row, intervals->front().basic);
  row.push_back(best.threshold > 0 ? cell(best.threshold) : ResultCell());
  row.push_back(cell(best.sizeRatio));
  row.push_back(cell(random));
  row.emplace_back(windows);
  table.rows.push_back(std::move(row));
  return {};
}

Result<void> Consistency::addSegmentTable(const std::vector<Layer>& layers, AnalysisResult& out) const {
  ResultTable table{"srp",
                    "Segment routing best performance (SRP)",
                    {{"layer", ""},
                     {"window_tokens", "tokens"},
                     {"srp", ""},
                     {"low", ""},
                     {"high", ""},
                     {"threshold", "tokens"},
                     {"size_ratio", ""},
                     {"random", ""},
                     {"windows", ""}},
                    {}};
  for (std::size_t w = 0; w < m_settings.windows.size(); ++w) {
    const int window = m_settings.windows[w];
    UnitSums all = layers.front().parts[w].histogram;
    std::int64_t windows = 0;
    std::map<std::pair<int, int>, int> shapes;
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const Layer& layer = layers[l];
      if (l > 0) all.add(layer.parts[w].histogram);
      windows += layer.parts[w].windows;
      ++shapes[{layer.experts, layer.topK}];
      const double random = randomSegmentRouting(layer.experts, layer.topK, window).f1;
      const auto added =
          addSegments(layer, w, layer.parts[w].histogram, layer.parts[w].windows, random, table);
      if (!added) return fail(added.error());
    }
    const bool alike = shapes.size() == 1;
    const Layer& first = layers.front();
    const double random = alike ? randomSegmentRouting(first.experts, first.topK, window).f1 : std::nan("");
    if (const auto added = addSegments({"all", 0, 0, {}}, w, all, windows, random, table); !added)
      return fail(added.error());
  }
  out.tables.push_back(std::move(table));
  return {};
}

Result<void> Consistency::addCacheTable(const std::vector<Layer>& layers, AnalysisResult& out) const {
  ResultTable table{"sch",
                    "Segment cache best hit rate (SCH)",
                    {{"layer", ""},
                     {"window_tokens", "tokens"},
                     {"cache_ratio", ""},
                     {"cache_experts", "experts"},
                     {"hit_rate", ""},
                     {"low", ""},
                     {"high", ""},
                     {"random", ""}},
                    {}};
  const auto addRow = [&](const std::string& name, int window, double ratio, ResultCell cache,
                          const UnitSums& sums, double random) -> Result<void> {
    const auto intervals = bootstrapSums(
        sums, m_draws, [](std::span<const double> s) { return std::vector{hitRate(s)}; }, m_input.stop);
    if (!intervals) return fail(intervals.error());
    std::vector<ResultCell> row{name, cell(window), cell(ratio), std::move(cache),
                                cell(hitRate(sums.total()))};
    addInterval(row, intervals->front().basic);
    row.push_back(cell(random));
    table.rows.push_back(std::move(row));
    return {};
  };
  for (std::size_t w = 0; w < m_settings.windows.size(); ++w) {
    for (std::size_t r = 0; r < m_settings.ratios.size(); ++r) {
      UnitSums all(m_units.units, 2);
      double random = 0.0;
      for (std::size_t l = 0; l < layers.size(); ++l) {
        const RouterSpec& router = m_run.routers[static_cast<std::size_t>(m_settings.layers.routers[l])];
        const int cache = cacheExpertsOf(router, m_settings.ratios[r]);
        const double control = m_control.at({router.experts, router.topK, m_settings.windows[w], cache});
        const UnitSums& sums = layers[l].parts[w].hits[r];
        all.add(sums);
        random += control / static_cast<double>(layers.size());
        const auto added =
            addRow(layers[l].name, m_settings.windows[w], m_settings.ratios[r], cell(cache), sums, control);
        if (!added) return fail(added.error());
      }
      if (const auto added = addRow("all", m_settings.windows[w], m_settings.ratios[r], {}, all, random);
          !added)
        return fail(added.error());
    }
  }
  out.tables.push_back(std::move(table));
  return {};
}

void Consistency::addExpertMatrices(const std::vector<Layer>& layers, AnalysisResult& out) const {
  const int experts = std::ranges::max(layers, {}, &Layer::experts).experts;
  for (std::size_t w = 0; w < m_settings.windows.size(); ++w) {
    ResultMatrix matrix;
    matrix.id = fmt::format("expert_srp_{}", m_settings.windows[w]);
    matrix.title = fmt::format("SRP of each expert, windows of {} tokens", m_settings.windows[w]);
    matrix.rowLabel = "Layer";
    matrix.columnLabel = "Expert";
    matrix.valueLabel = "F1 at the expert's own threshold";
    matrix.rowNames = layerNames(m_run.routers, m_settings.layers.routers);
    matrix.columnNames = expertNames(experts);
    for (const Layer& layer : layers) {
      std::vector<double> row = layer.parts[w].byExpert;
      row.resize(static_cast<std::size_t>(experts), std::nan(""));
      matrix.values.insert(matrix.values.end(), row.begin(), row.end());
    }
    out.matrices.push_back(std::move(matrix));
  }
}

void Consistency::addNotes(AnalysisResult& out) const {
  out.notes.push_back(
      "windows and caches stay inside texts; the row “all” pools counts over layers: one threshold for "
      "SRP, and for SCH each layer has its own cache");
  out.notes.push_back(
      "SCH: requests that find an unused slot count as hits, and the cache knows the requests of the "
      "window from the current token on");
  const auto longest = std::ranges::max(m_texts, {}, &trace::SequenceRecord::length).length;
  for (const int window : m_settings.windows) {
    if (longest < window)
      out.notes.push_back(fmt::format("no text has {} tokens: no SRP for that window", window));
  }
  if (m_texts.size() < m_run.sequences.size()) {
    out.notes.push_back(fmt::format("{} of {} texts were used, evenly spread (parameter tokens)",
                                    m_texts.size(), m_run.sequences.size()));
  }
}

Result<AnalysisResult> Consistency::result(const AnalysisInfo& info) {
  std::vector<Layer> layers(m_settings.layers.routers.size());
  const auto done =
      forEachLayer(m_input, "Following experts", layers.size(), [&](std::size_t index) -> Result<void> {
        auto layer = layerOf(m_settings.layers.routers[index]);
        if (!layer) return fail(layer.error());
        layers[index] = std::move(*layer);
        return {};
      });
  if (!done) return fail(done.error());
  AnalysisResult out = resultFor(info, m_input, m_run);
  out.baseline = "random choice of K from M experts: SRP exact, SCH simulated";
  out.interval = intervalText(m_units, m_settings.layers.draws, "basic");
  if (const auto added = addSegmentTable(layers, out); !added) return fail(added.error());
  if (const auto added = addCacheTable(layers, out); !added) return fail(added.error());
  addExpertMatrices(layers, out);
  addNotes(out);
  return out;
}

}  // namespace

const AnalysisInfo& ConsistencyAnalysis::info() const {
  static const AnalysisInfo info = [] {
    AnalysisInfo out{
        "routing-consistency",
        "Local routing consistency",
        "How well a fixed set of experts (SRP) or a cache with look-ahead (SCH) serves neighbouring tokens",
        AnalysisScope::Run,
        trace::CaptureLevel::Ids,
        layerParameters()};
    out.parameters.push_back({"windows", "4,16,64,256", "window sizes m in tokens"});
    out.parameters.push_back({"cache", "1,2,4", "cache sizes as multiples of K"});
    out.parameters.push_back({"tokens", "1000000", "tokens to use; longer runs are thinned by whole texts"});
    return out;
  }();
  return info;
}

Result<AnalysisResult> ConsistencyAnalysis::run(const AnalysisInput& input) const {
  const auto run = analysedRun(input.store, input.runs, info().needs);
  if (!run) return fail(run.error());
  const auto settings = settingsOf(input.parameters, run->routers);
  if (!settings) return fail(settings.error());
  return Consistency(input, *run, *settings).result(info());
}

}  // namespace moescope::locality
