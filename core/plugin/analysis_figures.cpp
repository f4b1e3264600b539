#include "core/plugin/analysis_figures.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "core/base/router_label.h"
#include "core/figure/co_activation_figures.h"
#include "core/figure/series_figures.h"
#include "core/figure/specialization_figures.h"
#include "core/plugin/series_collection.h"

namespace moescope::plugin {

namespace {

using figure::FigureParameters;
using figure::FigureSpec;

constexpr std::array<figure::FigureKind, 8> kKinds{{
    {"phase-plane", "Way of training through the plane of two metrics of a series",
     "series=NAME x=peak_factor y=loss layer=N|mean estimator=q1|q2|q3|q4 draws=N band=yes|no phases=yes|no"},
    {"phase-course", "One metric of a series over training steps",
     "series=NAME metric=cv layer=N|mean estimator=q1|… draws=N band=yes|no phases=yes|no"},
    {"phase-layers", "One metric of a series in every layer",
     "series=NAME metric=cv estimator=q1|… draws=N band=yes|no scale=same|own"},
    {"specialization", "Which labels choose which experts of one layer",
     "run=NAME layer=N value=rate-ratio|rate|share order=label|number grey=yes|no labels=corpus|…"},
    {"label-information", "What each layer tells about the label", "run=NAME layer=N labels=corpus|…"},
    {"expert-rates", "How often each label chooses one expert", "run=NAME layer=N expert=N labels=corpus|…"},
    {"vocabulary", "How far a token tells the expert in each layer", "run=NAME"},
    {"co-activation", "Which experts of one layer serve the same tokens",
     "run=NAME layer=N kind=all-pairs|adjacent-rank order=cluster|number"},
}};

/// Thrown inside this file only.
struct BadParameter {
  std::string key, message, advice;
};

/// Takes the figure's own parameters out of the list; what is left belongs to the analysis.
class Words {
 public:
  explicit Words(FigureParameters parameters) : m_parameters(std::move(parameters)) {}

  std::string text(const std::string& key, std::string otherwise) {
    const auto found = m_parameters.find(key);
    if (found == m_parameters.end()) return otherwise;
    std::string value = found->second;
    m_parameters.erase(found);
    return value;
  }
  bool flag(const std::string& key, bool otherwise) {
    const std::string word = text(key, otherwise ? "yes" : "no");
    if (word != "yes" && word != "no") throw BadParameter{key, "\"" + word + "\" is neither yes nor no", ""};
    return word == "yes";
  }
  std::optional<int> whole(const std::string& key) {
    const std::string word = text(key, "");
    if (word.empty()) return std::nullopt;
    int value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size() || value < 0)
      throw BadParameter{key, "\"" + word + "\" is not a whole number", ""};
    return value;
  }
  std::optional<RouterKey> router() {
    const std::string word = text("layer", "");
    if (word.empty()) return std::nullopt;
    if (const auto key = routerFromLabel(word)) return key;
    throw BadParameter{"layer", "\"" + word + "\" is no layer", "write its number, or \"3 attention\""};
  }
  template <class Value, std::size_t N>
  Value choice(const std::string& key, const std::array<std::pair<std::string_view, Value>, N>& words) {
    const std::string word = text(key, std::string(words.front().first));
    std::string all;
    for (const auto& [name, value] : words) {
      if (name == word) return value;
      all += (all.empty() ? "" : ", ") + std::string(name);
    }
    throw BadParameter{key, "\"" + word + "\" is unknown", "choose one of " + all};
  }
  [[nodiscard]] const FigureParameters& rest() const { return m_parameters; }
  void checkNoneLeft() const {
    if (m_parameters.empty()) return;
    throw BadParameter{m_parameters.begin()->first, "this kind of figure has no such parameter",
                       "see moescope figure --help"};
  }

 private:
  FigureParameters m_parameters;
};

/// Throws Error: no figure can be made without the result.
analysis::AnalysisResult resultOf(const PluginHost& host, trace::TraceStore& store,
                                  const std::string& analysis, Words& words,
                                  const AnalysisCallbacks& callbacks,
                                  const analysis::AnalysisParameters& fixed = {}) {
  AnalysisRequest request;
  request.analysis = analysis;
  request.run = words.text("run", "");
  request.parameters = fixed;
  for (const auto& [key, value] : words.rest()) request.parameters[key] = value;
  auto result = runAnalysis(host, store, request, callbacks);
  if (!result) throw result.error();
  return *std::move(result);
}

/// The first router of the result's matrices is drawn unless another is asked for.
RouterKey routerOf(const analysis::AnalysisResult& result, const std::optional<RouterKey>& given) {
  if (given) return *given;
  for (const analysis::ResultMatrix& matrix : result.matrices) {
    const std::size_t at = matrix.id.rfind("_layer");
    if (at == std::string::npos) continue;
    std::string label = matrix.id.substr(at + 6);
    std::ranges::replace(label, '_', ' ');
    if (const auto router = routerFromLabel(label)) return *router;
  }
  return LayerIndex{0};
}

Result<FigureSpec> specializationKind(const PluginHost& host, trace::TraceStore& store,
                                      const std::string& kind, Words& words,
                                      const AnalysisCallbacks& callbacks) {
  const auto router = words.router();
  if (kind == "vocabulary")
    return figure::vocabularyFigure(resultOf(host, store, kind, words, callbacks, {{"top", "0"}}));
  if (kind == "label-information") {
    return figure::labelInformationFigure(resultOf(host, store, "specialization", words, callbacks), router);
  }
  if (kind == "expert-rates") {
    const auto expert = words.whole("expert");
    if (!expert) throw BadParameter{"expert", "the figure is of one expert", "add --param expert=N"};
    const auto result = resultOf(host, store, "specialization", words, callbacks);
    return figure::expertRatesFigure(result, routerOf(result, router), ExpertIndex{*expert});
  }
  figure::SpecializationFigureOptions options;
  options.value = words.choice<figure::SpecializationValue, 3>(
      "value", {{{"rate-ratio", figure::SpecializationValue::RateRatio},
                 {"rate", figure::SpecializationValue::Rate},
                 {"share", figure::SpecializationValue::Share}}});
  options.order = words.choice<figure::ExpertOrder, 2>(
      "order", {{{"label", figure::ExpertOrder::Label}, {"number", figure::ExpertOrder::Number}}});
  options.greyIndistinct = words.flag("grey", true);
  const auto result = resultOf(host, store, "specialization", words, callbacks);
  return figure::specializationFigure(result, routerOf(result, router), options);
}

Result<FigureSpec> coActivationKind(const PluginHost& host, trace::TraceStore& store, Words& words,
                                    const AnalysisCallbacks& callbacks) {
  const auto router = words.router();
  const auto order = words.choice<figure::PairOrder, 2>(
      "order", {{{"cluster", figure::PairOrder::Cluster}, {"number", figure::PairOrder::Number}}});
  const auto result = resultOf(host, store, "co-activation", words, callbacks);
  return figure::coActivationFigure(result, routerOf(result, router), order);
}

std::string nameOfSeries(const trace::TraceStore& store, const std::string& word) {
  const auto all = store.allSeries();
  if (const auto* series = chosenSeries(all, word)) return series->name;
  return word.empty() ? store.path().stem().string() : word;
}

/// 0 for the mean of the layers, 1 + i for layer i of the series.
int columnOf(const analysis::SeriesMetrics& series, const std::string& word) {
  if (word == "mean") return 0;
  for (std::size_t i = 0; i < series.layers.size(); ++i) {
    if (std::to_string(series.layers[i]) == word) return static_cast<int>(i) + 1;
  }
  throw BadParameter{"layer", "\"" + word + "\" is no layer of the series", "give its number, or mean"};
}

Result<FigureSpec> seriesKind(const PluginHost& host, trace::TraceStore& store, const std::string& kind,
                              Words& words, const AnalysisCallbacks& callbacks) {
  SeriesRequest request;
  request.series = words.text("series", "");
  request.estimator = words.text("estimator", request.estimator);
  request.draws = words.whole("draws").value_or(request.draws);
  const std::string layer = words.text("layer", "mean");
  const std::string metric = words.text("metric", "cv"), x = words.text("x", "peak_factor"),
                    y = words.text("y", "loss");
  figure::SeriesFigureOptions options;
  options.bands = words.flag("band", true);
  options.phases = words.flag("phases", true);
  const bool isShared = words.choice<bool, 2>("scale", {{{"same", true}, {"own", false}}});
  words.checkNoneLeft();
  request.name = nameOfSeries(store, request.series);
  const auto series = collectSeries(host, store, request, {callbacks.progress, {}, callbacks.stop});
  if (!series) return fail(series.error());
  options.column = columnOf(*series, layer);
  if (kind == "phase-plane") return figure::seriesPlaneFigure({&*series, 1}, x, y, options);
  if (kind == "phase-course") return figure::seriesCourseFigure({&*series, 1}, metric, options);
  return figure::seriesLayersFigure(*series, metric, options, isShared);
}

}  // namespace

std::span<const figure::FigureKind> analysisFigureKinds() { return kKinds; }

bool isAnalysisFigure(std::string_view kind) {
  return std::any_of(kKinds.begin(), kKinds.end(), [kind](const auto& k) { return k.id == kind; });
}

Result<FigureSpec> makeAnalysisFigure(const PluginHost& host, trace::TraceStore& store,
                                      const std::string& kind, FigureParameters parameters,
                                      const AnalysisCallbacks& callbacks) try {
  if (!isAnalysisFigure(kind))
    return fail("figure.no_such_kind", "", kind, "there is no such kind of figure", "");
  Words words(std::move(parameters));
  const std::string title = words.text("title", "");
  const bool drawTitle = words.flag("draw-title", false), drawSample = words.flag("sample-line", false);
  auto spec = kind.starts_with("phase-") ? seriesKind(host, store, kind, words, callbacks)
              : kind == "co-activation"  ? coActivationKind(host, store, words, callbacks)
                                         : specializationKind(host, store, kind, words, callbacks);
  if (!spec) return spec;
  if (!title.empty()) spec->title = title;
  spec->drawTitle = drawTitle;
  spec->drawSampleLine = drawSample;
  spec->provenance.emplace_back("trace", store.path().filename().string());
  return spec;
} catch (const BadParameter& bad) {
  return fail("figure.bad_param", "", bad.key, bad.message, bad.advice);
} catch (const Error& error) {
  return fail(error);
}

}  // namespace moescope::plugin
