#include "core/engine/api/verify.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "core/base/router_label.h"
#include "core/engine/api/choice_margin.h"
#include "core/engine/api/reference_file.h"

namespace moescope::engine {

namespace {

/// The groups that the mask left in the ranking, ascending, `keep` a token.
std::vector<float> keptGroups(std::span<const float> selection, const RouterSpec& router) {
  const auto experts = static_cast<std::size_t>(router.experts);
  const std::size_t size = experts / static_cast<std::size_t>(router.groups.count);
  const float masked = router.groups.maskWithZero ? 0.0F : -std::numeric_limits<float>::infinity();
  std::vector<float> groups;
  for (std::size_t first = 0; first < selection.size(); first += experts) {
    for (std::size_t group = 0; group < experts; group += size) {
      const auto members = selection.subspan(first + group, size);
      const bool isKept =
          std::any_of(members.begin(), members.end(), [&](float key) { return key != masked; });
      const std::size_t number = group / size;
      if (isKept) groups.push_back(static_cast<float>(number));
    }
  }
  return groups;
}

/// Compares outputs with the reference while they are produced; token rows come in order.
class Comparison {
 public:
  Comparison(const ReferenceFile& reference, const checkpoint::ModelDescription& description,
             const VerifyOptions& options)
      : m_reference(reference),
        m_description(description),
        m_tolerance(options.tolerance),
        m_rounding(options.rounding) {}

  /// A step that began at token `token` of row `row`; `decode`: of the decoder's tokens.
  void add(std::int64_t row, std::int64_t token, bool decode, const StepOutput& output) {
    const auto& d = m_description;
    m_tokens = decode ? m_reference.decoderTokens() : m_reference.tokens();
    const auto isSeen = [&](int layer) { return !d.encoder || (layer >= d.encoder->layers) == decode; };
    compare("logits", output.logits, d.vocabularySize, row, token);
    for (int layer = 0; layer < d.layers; ++layer) {
      if (!isSeen(layer)) continue;
      compare(hiddenName(layer, d), output.hidden[static_cast<std::size_t>(layer)], d.hiddenSize, row, token);
    }
    for (std::size_t i = 0; i < d.routers.size(); ++i) {
      if (!isSeen(d.routers[i].layer.value)) continue;
      const RouterTap& tap = output.routers[i];
      const std::string prefix = referencePrefix(d.routers[i]);
      compare(prefix + "input", tap.input, d.hiddenSize, row, token);
      compare(prefix + "logits", tap.logits, tap.experts, row, token);
      // Where the score is taken after the choice, references hold none.
      compare(prefix + "scores", tap.scores, tap.experts, row, token);
      compare(prefix + "selection", tap.selection, tap.experts, row, token);
      if (d.routers[i].groups.limits())
        compare(prefix + "groups", keptGroups(tap.selection, d.routers[i]), d.routers[i].groups.keep, row,
                token);
      compare(prefix + "shared_gate", tap.sharedGate, 1, row, token);
      compareDrops(prefix + "dropped", tap, row, token);
      compareChoices(i, tap, row, token);
    }
  }

  void finish(VerifyReport& report) {
    for (auto& [name, difference] : m_values) {
      difference.failed = !(difference.maxAbsolute <= m_tolerance);
      report.values.push_back(difference);
    }
    for (auto& [router, difference] : m_routing) {
      difference.failed = difference.setDiffersClearly > 0 || !(difference.maxWeight <= m_tolerance);
      report.routing.push_back(difference);
    }
  }

 private:
  void compare(const std::string& name, std::span<const float> own, int columns, std::int64_t row,
               std::int64_t token) {
    const std::vector<float>* values = m_reference.values(name);
    if (values == nullptr) return;
    ValueDifference& difference = m_values[name];
    difference.quantity = name;
    const std::int64_t first = (row * m_tokens + token) * columns;
    for (std::size_t i = 0; i < own.size(); ++i) {
      const double wanted = (*values)[static_cast<std::size_t>(first) + i];
      // Masked out is -inf in both.
      double gap = double{own[i]} == wanted ? 0.0 : std::abs(own[i] - wanted);
      if (!std::isfinite(gap)) gap = std::numeric_limits<double>::infinity();
      if (std::isfinite(wanted)) m_largest[name] = std::max(m_largest[name], std::abs(wanted));
      ++difference.values;
      if (gap <= difference.maxAbsolute) continue;
      difference.maxAbsolute = gap;
      const auto at = static_cast<std::int64_t>(i);
      difference.where = fmt::format("row {}, token {}, index {}", row, token + at / columns, at % columns);
    }
    const double largest = m_largest[name];
    difference.maxRelative = largest > 0 ? difference.maxAbsolute / largest : difference.maxAbsolute;
  }

  void compareDrops(const std::string& name, const RouterTap& tap, std::int64_t row, std::int64_t token) {
    std::vector<float> dropped;
    for (const std::int32_t expert : tap.dropped) dropped.push_back(expert >= 0 ? 1.0F : 0.0F);
    compare(name, dropped, tap.width, row, token);
  }

  /// What the tap says of a choice: of a dropped one the choice itself where the reference has it so.
  static std::vector<std::int32_t> choicesOf(const RouterTap& tap, bool withDropped) {
    std::vector<std::int32_t> ids(tap.ids.begin(), tap.ids.end());
    for (std::size_t i = 0; withDropped && i < tap.dropped.size(); ++i)
      ids[i] = std::max(ids[i], tap.dropped[i]);
    return ids;
  }

  void compareChoices(std::size_t index, const RouterTap& tap, std::int64_t row, std::int64_t token) {
    const RouterSpec& router = m_description.routers[index];
    const std::vector<std::int32_t>* ids = m_reference.choices(router);
    if (ids == nullptr) return;
    const auto* weights = m_reference.values(referencePrefix(router) + "topk_weights");
    const bool withDropped = m_reference.values(referencePrefix(router) + "dropped") != nullptr;
    const auto choices = choicesOf(tap, withDropped);
    const auto ownWeights = withDropped ? tap.nativeWeights : tap.weights;
    RoutingDifference& difference = m_routing[index];
    difference.layer = router.layer.value;
    difference.label = routerLabel(router);
    difference.kind = router.kind;
    const auto count = static_cast<std::size_t>(router.topK);
    const std::size_t tokens = tap.ids.size() / static_cast<std::size_t>(tap.width);
    for (std::size_t t = 0; t < tokens; ++t) {
      const auto at = static_cast<std::size_t>(row * m_tokens + token) + t;
      const std::span wanted(ids->data() + at * count, count);
      const auto own = std::span(choices).subspan(t * static_cast<std::size_t>(tap.width),
                                                  static_cast<std::size_t>(tap.width));
      const std::string where = fmt::format("row {}, token {}", row, token + static_cast<std::int64_t>(t));
      ++difference.rows;
      if (!std::is_permutation(own.begin(), own.end(), wanted.begin(), wanted.end())) {
        if (difference.setDiffers++ == 0) difference.where = where;
        judgeOtherSet(router, at, difference);
      } else if (!std::equal(own.begin(), own.end(), wanted.begin())) {
        ++difference.orderDiffers;
      }
      if (weights == nullptr) continue;
      for (std::size_t i = 0; i < count; ++i) {
        const auto found = std::find(own.begin(), own.end(), wanted[i]);
        if (found == own.end()) continue;
        const auto j =
            t * static_cast<std::size_t>(tap.width) + static_cast<std::size_t>(found - own.begin());
        double gap = std::abs(double{ownWeights[j]} - (*weights)[at * count + i]);
        if (!std::isfinite(gap)) gap = std::numeric_limits<double>::infinity();
        if (gap <= difference.maxWeight) continue;
        difference.maxWeight = gap;
        if (difference.setDiffers == 0) difference.where = where;
      }
    }
  }

  /// The reference's row of a router's values of one kind; empty if the file does not have them.
  [[nodiscard]] std::span<const float> referenceRow(const RouterSpec& router, const char* part,
                                                    std::size_t at) const {
    const std::vector<float>* values = m_reference.values(referencePrefix(router) + part);
    if (values == nullptr) return {};
    const auto experts = static_cast<std::size_t>(router.experts);
    return std::span(*values).subspan(at * experts, experts);
  }

  /// Holds another set of ids against the reference's margin in what it ranks.
  void judgeOtherSet(const RouterSpec& router, std::size_t at, RoutingDifference& difference) const {
    std::span<const float> ranked;
    for (const char* part : {"selection", "scores", "logits"}) {
      if (ranked.empty()) ranked = referenceRow(router, part, at);
    }
    if (choiceMargin(ranked, router.topK) > kClearMargin) ++difference.setDiffersClearly;
    // Without a bias and a group mask the logits are in the order of what is ranked.
    const std::span<const float> logits = referenceRow(router, "logits", at);
    if (!logits.empty() && router.selectionBias.empty() && !router.groups.limits()) ranked = logits;
    const double margin = choiceMargin(ranked, router.topK);
    const double rounding = roundingOfMargin(logits.empty() ? ranked : logits, m_rounding);
    if (margin > rounding) ++difference.setDiffersBeyondRounding;
    if (rounding > 0) difference.widestMargin = std::max(difference.widestMargin, margin / rounding);
  }

  const ReferenceFile& m_reference;
  const checkpoint::ModelDescription& m_description;
  double m_tolerance;
  Dtype m_rounding;
  std::int64_t m_tokens = 0;  ///< of a row, where the step at hand is
  std::map<std::string, ValueDifference> m_values;
  std::map<std::string, double> m_largest;
  std::map<std::size_t, RoutingDifference> m_routing;  ///< by router
};

/// One row of the reference: the tokens, or of an encoder-decoder the encoder's and the decoder's.
struct ReferenceRow {
  std::span<const std::int32_t> ids, decoderIds;
};

ReferenceRow rowOf(const ReferenceFile& reference, std::int64_t row) {
  const auto part = [row](const std::vector<std::int32_t>& ids, std::int64_t tokens) {
    return std::span(ids).subspan(static_cast<std::size_t>(row * tokens), static_cast<std::size_t>(tokens));
  };
  return {part(reference.ids(), reference.tokens()), part(reference.decoderIds(), reference.decoderTokens())};
}

/// Sees a step: its first token in its part, whether that is the decoder, and what came out.
using StepVisit = std::function<void(std::int64_t token, bool decode, const StepOutput& output)>;

/// Forwards the ids in one step, or one step a token.
Result<void> forwardPart(Session& session, std::span<const std::int32_t> ids, bool decode, bool oneByOne,
                         const VerifyOptions& options, const StepVisit& visit) {
  const std::size_t step = oneByOne ? 1 : ids.size();
  for (std::size_t first = 0; first < ids.size(); first += step) {
    if (options.stop.stop_requested()) return fail("cancelled", "", "", "verification was cancelled");
    StepRequest request;
    request.ids = ids.subspan(first, step);
    request.decode = decode;
    request.logits = LogitRows::All;
    request.inputs = true;
    request.hidden = true;
    auto output = session.forward(request);
    if (!output) return fail(std::move(output).error());
    visit(static_cast<std::int64_t>(first), decode, *output);
  }
  return {};
}

/// A source is always one step.
Result<void> forwardRow(Session& session, const ReferenceRow& row, const VerifyOptions& options,
                        const StepVisit& visit) {
  const bool hasSource = !row.decoderIds.empty();
  auto done = forwardPart(session, row.ids, false, options.tokenByToken && !hasSource, options, visit);
  if (!done || !hasSource) return done;
  return forwardPart(session, row.decoderIds, true, options.tokenByToken, options, visit);
}

/// Where a greedy continuation of row 0 stands: the logits after its last token.
class GreedySteps {
 public:
  GreedySteps(Session& session, const ReferenceFile& reference,
              const checkpoint::ModelDescription& description, const VerifyOptions& options)
      : m_session(session),
        m_vocabulary(static_cast<std::size_t>(description.vocabularySize)),
        m_isWhole(description.encoder && !options.tokenByToken),
        m_row(rowOf(reference, 0)) {
    if (description.encoder) m_decoderIds = {m_row.decoderIds.front()};
  }

  Result<void> begin(const VerifyOptions& options) {
    m_session.rewind(0);
    const ReferenceRow row{m_row.ids, m_decoderIds};
    return forwardRow(m_session, row, options,
                      [&](std::int64_t, bool, const StepOutput& output) { keep(output); });
  }
  Result<void> append(std::int32_t id) {
    m_decoderIds.push_back(id);
    StepRequest request;
    request.ids = std::span(m_decoderIds).last(1);
    request.decode = true;
    request.taps = false;
    if (m_isWhole) {
      m_session.rewind(static_cast<std::int64_t>(m_row.ids.size()));
      request.ids = m_decoderIds;
    }
    const auto output = m_session.forward(request);
    if (!output) return fail(output.error());
    keep(*output);
    return {};
  }
  [[nodiscard]] const std::vector<float>& logits() const { return m_logits; }

 private:
  void keep(const StepOutput& output) {
    if (output.logits.empty()) return;  // of a source
    m_logits.assign(output.logits.end() - static_cast<std::ptrdiff_t>(m_vocabulary), output.logits.end());
  }

  Session& m_session;
  std::size_t m_vocabulary;
  bool m_isWhole;
  ReferenceRow m_row;
  std::vector<std::int32_t> m_decoderIds;
  std::vector<float> m_logits;
};

Result<GreedyDifference> compareGreedy(Session& session, const ReferenceFile& reference,
                                       const checkpoint::ModelDescription& description,
                                       const VerifyOptions& options) {
  GreedyDifference difference;
  GreedySteps steps(session, reference, description, options);
  if (auto done = steps.begin(options); !done) return fail(std::move(done).error());
  for (const std::int32_t wanted : reference.greedyIds()) {
    if (options.stop.stop_requested()) return fail("cancelled", "", "", "verification was cancelled");
    const auto& logits = steps.logits();
    const auto best = std::max_element(logits.begin(), logits.end());
    ++difference.tokens;
    if (best - logits.begin() != wanted) ++difference.differ;
    difference.maxGap = std::max(difference.maxGap, double{*best} - logits[static_cast<std::size_t>(wanted)]);
    if (difference.tokens == static_cast<std::int64_t>(reference.greedyIds().size())) break;
    if (auto done = steps.append(wanted); !done) return fail(std::move(done).error());
  }
  difference.failed = !(difference.maxGap <= 2 * options.tolerance);
  return difference;
}

}  // namespace

Result<VerifyReport> verify(Model& model, const std::filesystem::path& path, const VerifyOptions& options) {
  const auto& description = model.checkpoint().description();
  const auto reference = ReferenceFile::open(path, description);
  if (!reference) return fail(reference.error());
  auto session = model.newSession();
  if (!session) return fail(std::move(session).error());

  VerifyReport report;
  report.rows = reference->rows();
  report.tokensPerRow = reference->tokens();
  report.decoderTokensPerRow = reference->decoderTokens();
  report.notCompared = reference->unknown();
  Comparison comparison(*reference, description, options);
  for (std::int64_t row = 0; row < reference->rows(); ++row) {
    (*session)->rewind(0);
    auto done = forwardRow(**session, rowOf(*reference, row), options,
                           [&](std::int64_t token, bool decode, const StepOutput& output) {
                             comparison.add(row, token, decode, output);
                           });
    if (!done) return fail(std::move(done).error());
  }
  comparison.finish(report);
  if (!reference->greedyIds().empty()) {
    auto greedy = compareGreedy(**session, *reference, description, options);
    if (!greedy) return fail(std::move(greedy).error());
    report.greedy = *greedy;
  }
  const auto failed = [](const auto& difference) { return difference.failed; };
  report.passed = std::none_of(report.values.begin(), report.values.end(), failed) &&
                  std::none_of(report.routing.begin(), report.routing.end(), failed) &&
                  !(report.greedy && report.greedy->failed);
  return report;
}

}  // namespace moescope::engine
