#include "plugins/locality/sparsity_analysis.h"

#include <fmt/format.h>

#include "core/analysis/layer_jobs.h"
#include "core/analysis/parameter_lists.h"
#include "core/analysis/parameter_values.h"
#include "core/analysis/result_cells.h"
#include "core/analysis/sparsity.h"
#include "core/analysis/unit_sums.h"

namespace moescope::locality {

using namespace analysis;

namespace {

struct Settings {
  LayerSettings layers;
  std::vector<int> chunks;
  bool shared = false;
};

Result<Settings> settingsOf(const AnalysisParameters& parameters, const std::vector<RouterSpec>& routers) {
  const auto layers = layerSettings(parameters, routers);
  if (!layers) return fail(layers.error());
  const auto chunks = wholesParameter(parameters, "chunks", 1, 100'000);
  if (!chunks) return fail(chunks.error());
  constexpr std::string_view kWords[] = {"no", "yes"};
  const auto shared = wordParameter(parameters, "shared", kWords);
  if (!shared) return fail(shared.error());
  return Settings{*layers, *chunks, *shared == "yes"};
}

/// Columns of a router's sums: for each chunk size, active experts, places for them, and chunks.
constexpr int kColumns = 3;

std::vector<double> sparsities(std::span<const double> sums) {
  std::vector<double> out;
  for (std::size_t c = 0; c < sums.size(); c += kColumns) out.push_back(1.0 - sums[c] / sums[c + 1]);
  return out;
}

struct Layer {
  std::string name;
  UnitSums sums;
  std::vector<double> random;  // [chunks]
  std::vector<BootstrapInterval> intervals;
};

Result<Layer> layerOf(const AnalysisInput& input, const AnalysedRun& run, const ResamplingUnits& units,
                      const RouterSpec& router, int index, const Settings& settings) {
  const auto pieces = textChoices(input.store, run.record.id, index, run.sequences, input.stop);
  if (!pieces) return fail(pieces.error());
  const int shared = settings.shared ? router.sharedExperts : 0;
  Layer out{std::to_string(router.layer.value),
            UnitSums(units.units, kColumns * static_cast<int>(settings.chunks.size())),
            {},
            {}};
  for (std::size_t c = 0; c < settings.chunks.size(); ++c) {
    const auto sums =
        chunkSums(*pieces, static_cast<int>(run.sequences.size()), router.experts, settings.chunks[c]);
    for (std::size_t text = 0; text < sums.size(); ++text) {
      const std::span<double> row = out.sums.row(units.unitOf[text]).subspan(kColumns * c, kColumns);
      const double chunks = static_cast<double>(sums[text].chunks);
      row[0] += static_cast<double>(sums[text].active) + chunks * shared;
      row[1] += chunks * (router.experts + shared);
      row[2] += chunks;
    }
    out.random.push_back(randomSparsity(router.experts, router.topK, settings.chunks[c], shared));
  }
  return out;
}

/// Sums of unions over sums of M, pooled over layers (as the source does).
Layer pooled(const std::vector<Layer>& layers) {
  Layer out{"all", layers.front().sums, std::vector<double>(layers.front().random.size()), {}};
  std::vector<double> places(out.random.size());
  for (std::size_t l = 0; l < layers.size(); ++l) {
    if (l > 0) out.sums.add(layers[l].sums);
    const std::vector<double> total = layers[l].sums.total();
    for (std::size_t c = 0; c < out.random.size(); ++c) {
      out.random[c] += layers[l].random[c] * total[kColumns * c + 1];
      places[c] += total[kColumns * c + 1];
    }
  }
  for (std::size_t c = 0; c < places.size(); ++c) out.random[c] /= places[c];
  return out;
}

void addRows(const Layer& layer, const std::vector<int>& chunks, ResultTable& table) {
  const std::vector<double> total = layer.sums.total();
  const std::vector<double> values = sparsities(total);
  for (std::size_t c = 0; c < chunks.size(); ++c) {
    std::vector<ResultCell> row{layer.name, cell(chunks[c]), cell(values[c])};
    addInterval(row, layer.intervals[c].percentile);
    row.push_back(cell(layer.random[c]));
    row.push_back(cell(values[c] - layer.random[c]));
    row.emplace_back(static_cast<std::int64_t>(total[kColumns * c + 2]));
    table.rows.push_back(std::move(row));
  }
}

void addGain(const Layer& layer, ResultMatrix& matrix) {
  const std::vector<double> values = sparsities(layer.sums.total());
  matrix.rowNames.push_back(layer.name);
  for (std::size_t c = 0; c < values.size(); ++c) {
    matrix.values.push_back(values[c] - layer.random[c]);
    matrix.low.push_back(layer.intervals[c].percentile.low - layer.random[c]);
    matrix.high.push_back(layer.intervals[c].percentile.high - layer.random[c]);
  }
}

AnalysisResult resultOf(const AnalysisInfo& info, const AnalysisInput& input, const AnalysedRun& run,
                        const ResamplingUnits& units, const Settings& settings,
                        const std::vector<Layer>& layers) {
  AnalysisResult out = resultFor(info, input, run);
  out.baseline = "random choice of K from M experts: (1 - K/M)^c";
  out.interval = intervalText(units, settings.layers.draws);
  ResultTable table{"sparsity",
                    "Sparsity of chunks of c tokens (c = 1: token-level)",
                    {{"layer", ""},
                     {"chunk_tokens", "tokens"},
                     {"sparsity", ""},
                     {"low", ""},
                     {"high", ""},
                     {"random", ""},
                     {"gain", ""},
                     {"chunks", ""}},
                    {}};
  ResultMatrix gain;
  gain.id = "chunk_gain";
  gain.title = "Chunk gain over random choice";
  gain.rowLabel = "Layer";
  gain.columnLabel = "Chunk (tokens)";
  gain.valueLabel = "sparsity above random choice";
  gain.baseline = 0.0;
  for (const int chunk : settings.chunks) gain.columnNames.push_back(std::to_string(chunk));
  for (const Layer& layer : layers) {
    addRows(layer, settings.chunks, table);
    addGain(layer, gain);
  }
  const std::vector<double> total = layers.back().sums.total();
  for (std::size_t c = 0; c < settings.chunks.size(); ++c) {
    if (total[kColumns * c + 2] == 0.0)
      out.notes.push_back(
          fmt::format("no text has {} tokens: nothing to say for such chunks", settings.chunks[c]));
  }
  out.notes.push_back(
      "chunks lie inside texts and do not overlap; the tail of a text is left out; the row “all” pools "
      "the sums over the layers");
  out.tables.push_back(std::move(table));
  out.matrices.push_back(std::move(gain));
  return out;
}

}  // namespace

const AnalysisInfo& SparsityAnalysis::info() const {
  static const AnalysisInfo info = [] {
    AnalysisInfo out{"sparsity",
                     "Sparsity of chunks",
                     "Token-level and chunk-level sparsity (TLS, CLS) beside random choice",
                     AnalysisScope::Run,
                     trace::CaptureLevel::Ids,
                     layerParameters()};
    out.parameters.push_back({"chunks", "1,2,4,8,16,32,64", "chunk sizes in tokens"});
    out.parameters.push_back({"shared", "no", "no, or yes: shared experts count as active experts"});
    return out;
  }();
  return info;
}

Result<AnalysisResult> SparsityAnalysis::run(const AnalysisInput& input) const {
  const auto run = analysedRun(input.store, input.runs, info().needs);
  if (!run) return fail(run.error());
  const auto settings = settingsOf(input.parameters, run->routers);
  if (!settings) return fail(settings.error());
  const ResamplingUnits units = resamplingUnits(run->sequences);
  const TextDraws draws(units.units, units.units > 1 ? settings->layers.draws : 0, settings->layers.seed);
  std::vector<std::optional<Layer>> parts(settings->layers.routers.size());
  const auto done =
      forEachLayer(input, "Counting chunks", parts.size(), [&](std::size_t index) -> Result<void> {
        const int router = settings->layers.routers[index];
        auto layer =
            layerOf(input, *run, units, run->routers[static_cast<std::size_t>(router)], router, *settings);
        if (!layer) return fail(layer.error());
        parts[index] = std::move(*layer);
        return {};
      });
  if (!done) return fail(done.error());
  std::vector<Layer> layers;
  layers.reserve(parts.size());
  for (auto& part : parts) layers.push_back(std::move(*part));
  layers.push_back(pooled(layers));
  for (Layer& layer : layers) {
    auto intervals = bootstrapSums(layer.sums, draws, sparsities, input.stop);
    if (!intervals) return fail(intervals.error());
    layer.intervals = std::move(*intervals);
  }
  return resultOf(info(), input, *run, units, *settings, layers);
}

}  // namespace moescope::locality
