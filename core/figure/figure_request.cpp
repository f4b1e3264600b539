#include "core/figure/figure_request.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "core/analysis/load_measure.h"
#include "core/base/router_label.h"
#include "core/figure/figure_builders.h"

namespace moescope::figure {

namespace {

constexpr std::array<FigureKind, 5> kKinds{{
    {"routing-map", "Load of every expert in every layer",
     "value=load-ratio|load-share|frequency|gate-ratio range=a:b colours=…"},
    {"token-expert", "What each token chose in one layer",
     "layer=N value=weight|rank|logit range=a:b colours=…"},
    {"token-layer", "One value of each token in every layer", "value=weight|entropy range=a:b colours=…"},
    {"expert-load", "Sorted loads of one layer against uniform", "layer=N"},
    {"load-course", "A load metric over a sliding window of tokens", "layer=N metric=cv|max-vio|… over=128"},
}};

constexpr std::int64_t kAllTokens = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kTokenRows = 64;  ///< rows of a map of tokens unless told otherwise
constexpr std::int64_t kCourseWindow = 128;

constexpr std::array<std::pair<std::string_view, LoadValue>, 4> kLoadValues{
    {{"load-ratio", LoadValue::LoadRatio},
     {"load-share", LoadValue::LoadShare},
     {"frequency", LoadValue::Frequency},
     {"gate-ratio", LoadValue::GateRatio}}};
constexpr std::array<std::pair<std::string_view, TokenValue>, 4> kTokenValues{
    {{"weight", TokenValue::Weight},
     {"rank", TokenValue::Rank},
     {"logit", TokenValue::Logit},
     {"entropy", TokenValue::Entropy}}};

/// Thrown inside this file only.
struct BadParameter {
  std::string key, message, advice;
};

template <class T>
std::optional<T> numberFrom(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The parameters with the keys that were asked for, so that a misspelt one is found.
class Request {
 public:
  Request(const trace::TraceStore& store, const FigureParameters& parameters)
      : m_store(store), m_parameters(parameters) {}

  std::optional<std::string> text(const std::string& key) {
    m_known.insert(key);
    const auto found = m_parameters.find(key);
    if (found == m_parameters.end()) return std::nullopt;
    return found->second;
  }
  std::optional<std::int64_t> whole(const std::string& key) {
    const auto word = text(key);
    if (!word) return std::nullopt;
    const auto value = numberFrom<std::int64_t>(*word);
    if (!value || *value < 0) throw BadParameter{key, "\"" + *word + "\" is not a whole number", ""};
    return value;
  }
  bool flag(const std::string& key) {
    const auto word = text(key);
    if (!word || *word == "no") return false;
    if (*word == "yes") return true;
    throw BadParameter{key, "\"" + *word + "\" is neither yes nor no", ""};
  }
  template <class Enum, std::size_t N>
  Enum choice(const std::string& key, const std::array<std::pair<std::string_view, Enum>, N>& words,
              Enum otherwise) {
    const auto word = text(key);
    if (!word) return otherwise;
    std::string all;
    for (const auto& [name, value] : words) {
      if (name == *word) return value;
      all += (all.empty() ? "" : ", ") + std::string(name);
    }
    throw BadParameter{key, "\"" + *word + "\" is unknown", "choose one of " + all};
  }

  /// The run, with all its routed tokens or those that `tokens` and `window` leave of them.
  FigureSource source(std::int64_t windowByDefault) {
    const trace::RunRecord run = findRun();
    FigureSource source{m_store, run.id, {0, run.routedTokens}};
    std::int64_t window = windowByDefault;
    if (const auto word = text("tokens")) {
      source.tokens = tokenRange(*word);
      window = kAllTokens;
    }
    if (const auto word = text("window"))
      window = *word == "all" ? kAllTokens : whole("window").value_or(kAllTokens);
    source.tokens.end = std::min(source.tokens.end, run.routedTokens);
    source.tokens.begin = std::max(source.tokens.begin, source.tokens.end - window);
    return source;
  }

  RouterKey router(const FigureSource& source) {
    if (const auto word = text("layer")) {
      if (const auto key = routerFromLabel(*word)) return *key;
      throw BadParameter{"layer", "\"" + *word + "\" is no layer", "write its number, or \"3 attention\""};
    }
    const std::vector<RouterSpec> routers = m_store.routers(source.run);
    return routers.empty() ? RouterKey{} : RouterKey{routers.front().layer};
  }

  void checkAllKnown() const {
    for (const auto& [key, value] : m_parameters) {
      if (m_known.contains(key)) continue;
      std::string all;
      for (const std::string& known : m_known) all += (all.empty() ? "" : ", ") + known;
      throw BadParameter{key, "this kind of figure has no such parameter", "it has " + all};
    }
  }

 private:
  trace::RunRecord findRun() {
    const std::vector<trace::RunRecord> runs = m_store.runs();
    const auto word = text("run");
    const auto number = word ? numberFrom<trace::RunId>(*word) : std::nullopt;
    const std::set<trace::RunId> inSeries = trace::runsOfSeries(m_store);
    const trace::RunRecord* found = nullptr;
    for (const trace::RunRecord& run : runs) {
      const bool fits = word ? run.name == *word || run.id == number : run.routedTokens > 0;
      const bool isWorse =
          !word && found != nullptr && inSeries.contains(run.id) && !inSeries.contains(found->id);
      if (fits && !isWorse) found = &run;
    }
    if (found != nullptr) return *found;
    if (word)
      throw BadParameter{"run", "the trace has no run \"" + *word + "\"",
                         "see moescope inspect for its runs"};
    throw BadParameter{"run", "the trace has no run with routing", "record one first"};
  }

  static trace::TokenRange tokenRange(const std::string& word) {
    const std::size_t dash = word.find('-');
    const auto first = numberFrom<std::int64_t>(std::string_view(word).substr(0, dash));
    const auto last =
        dash == std::string::npos ? first : numberFrom<std::int64_t>(std::string_view(word).substr(dash + 1));
    if (!first || !last || *first < 0 || *last < *first ||
        *last == std::numeric_limits<std::int64_t>::max()) {
      throw BadParameter{"tokens", "\"" + word + "\" is no range of tokens", "write it as 46-173"};
    }
    return {*first, *last + 1};
  }

  const trace::TraceStore& m_store;
  const FigureParameters& m_parameters;
  std::set<std::string> m_known;
};

void applyColours(Request& request, FigureSpec& spec) {
  if (!spec.map) return;
  ColourScale& scale = spec.map->colours;
  if (const auto word = request.text("colours")) {
    const auto map = colourMapFrom(*word);
    if (!map || (*map == ColourMapId::Diverging) != (scale.map == ColourMapId::Diverging)) {
      throw BadParameter{"colours", "\"" + *word + "\" does not fit this value",
                         scale.map == ColourMapId::Diverging
                             ? "a ratio is always drawn with the diverging map"
                             : "choose one of cividis, viridis, greys"};
    }
    scale.map = *map;
  }
  if (const auto word = request.text("range")) {
    const std::size_t colon = word->find(':');
    const auto low = numberFrom<double>(std::string_view(*word).substr(0, colon));
    const auto high = colon == std::string::npos
                          ? std::nullopt
                          : numberFrom<double>(std::string_view(*word).substr(colon + 1));
    const bool ratio = scale.scale == ScaleKind::Log2;
    if (!low || !high || !(*low < *high) || !std::isfinite(*low) || !std::isfinite(*high) ||
        (ratio && *low <= 0.0)) {
      throw BadParameter{"range", "\"" + *word + "\" is no range", "write it as 0.25:4, the lower end first"};
    }
    // The middle of a diverging scale is uniform and is never moved.
    if (ratio && std::abs(*low * *high - 1.0) > 1e-9) {
      throw BadParameter{"range", "\"" + *word + "\" is not symmetric around 1",
                         "write it as 1/r:r, for example 0.5:2"};
    }
    scale.min = *low;
    scale.max = *high;
  }
}

Result<FigureSpec> build(Request& request, const std::string& kind, std::stop_token stop) {
  if (kind == "routing-map") {
    return routingMapFigure(request.source(kAllTokens),
                            request.choice("value", kLoadValues, LoadValue::LoadRatio), stop);
  }
  if (kind == "token-expert") {
    const FigureSource source = request.source(kTokenRows);
    const TokenValue value = request.choice("value", kTokenValues, TokenValue::Weight);
    return tokenExpertFigure(source, request.router(source), value, stop);
  }
  if (kind == "token-layer") {
    return tokenLayerFigure(request.source(kTokenRows),
                            request.choice("value", kTokenValues, TokenValue::Weight), stop);
  }
  const FigureSource source = request.source(kAllTokens);
  if (kind == "expert-load") return expertLoadFigure(source, request.router(source), stop);
  const std::string id = request.text("metric").value_or("cv");
  const auto measure = analysis::loadMeasureFrom(id);
  if (!measure) {
    std::string all;
    for (const auto& info : analysis::loadMeasures()) all += (all.empty() ? "" : ", ") + std::string(info.id);
    throw BadParameter{"metric", "\"" + id + "\" is unknown", "choose one of " + all};
  }
  const std::int64_t window = request.whole("over").value_or(kCourseWindow);
  if (window == 0) throw BadParameter{"over", "the window of a course has at least one token", ""};
  return loadCourseFigure(source, request.router(source), *measure, window, stop);
}

}  // namespace

std::span<const FigureKind> figureKinds() { return kKinds; }

Result<FigureSpec> makeFigure(const trace::TraceStore& store, const std::string& kind,
                              const FigureParameters& parameters, std::stop_token stop) {
  if (std::ranges::find(kKinds, kind, &FigureKind::id) == kKinds.end()) {
    std::string all;
    for (const FigureKind& known : kKinds) all += (all.empty() ? "" : ", ") + std::string(known.id);
    return fail("figure.no_such_kind", "", "--kind " + kind, "there is no such kind of figure",
                "choose one of " + all);
  }
  try {
    Request request(store, parameters);
    Result<FigureSpec> spec = build(request, kind, stop);
    if (!spec) return spec;
    applyColours(request, *spec);
    if (const auto title = request.text("title")) spec->title = *title;
    spec->drawTitle = request.flag("draw-title");
    spec->drawSampleLine = request.flag("sample-line");
    request.checkAllKnown();
    return spec;
  } catch (const BadParameter& bad) {
    return fail("figure.bad_param", store.path().string(), bad.key, bad.key + ": " + bad.message, bad.advice);
  }
}

Result<std::pair<double, double>> figureSize(std::string_view text) {
  const auto bad = [&] {
    return fail("figure.bad_size", "", std::string(text), "this is no size of a figure",
                "write it as 3.25x2.4in or 80x60mm, from 0.5 to 60 inches");
  };
  double perInch = 1.0;
  std::string_view numbers = text;
  for (const auto& [unit, units] : {std::pair{"in", 1.0}, std::pair{"mm", 25.4}, std::pair{"cm", 2.54}}) {
    if (!numbers.ends_with(unit)) continue;
    numbers.remove_suffix(2);
    perInch = units;
    break;
  }
  const std::size_t cross = numbers.find('x');
  if (cross == std::string_view::npos) return bad();
  const auto width = numberFrom<double>(numbers.substr(0, cross));
  const auto height = numberFrom<double>(numbers.substr(cross + 1));
  if (!width || !height) return bad();
  const std::pair size{*width / perInch, *height / perInch};
  const auto fits = [](double inches) { return inches >= kMinInches && inches <= kMaxInches; };
  if (!fits(size.first) || !fits(size.second)) return bad();
  return size;
}

}  // namespace moescope::figure
