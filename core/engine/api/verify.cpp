#include "core/engine/api/verify.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

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

  /// A step that began at token `token` of row `row`.
  void add(std::int64_t row, std::int64_t token, const StepOutput& output) {
    const auto& d = m_description;
    compare("logits", output.logits, d.vocabularySize, row, token);
    for (int layer = 0; layer < d.layers; ++layer) {
      compare(fmt::format("hidden.{}", layer), output.hidden[static_cast<std::size_t>(layer)], d.hiddenSize,
              row, token);
    }
    for (std::size_t i = 0; i < d.routers.size(); ++i) {
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
    const std::int64_t first = (row * m_reference.tokens() + token) * columns;
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

  void compareChoices(std::size_t index, const RouterTap& tap, std::int64_t row, std::int64_t token) {
    const RouterSpec& router = m_description.routers[index];
    const std::vector<std::int32_t>* ids = m_reference.choices(router);
    if (ids == nullptr) return;
    const auto* weights = m_reference.values(referencePrefix(router) + "topk_weights");
    RoutingDifference& difference = m_routing[index];
    difference.layer = router.layer.value;
    difference.kind = router.kind;
    const auto count = static_cast<std::size_t>(router.topK);
    const std::size_t tokens = tap.ids.size() / static_cast<std::size_t>(tap.width);
    for (std::size_t t = 0; t < tokens; ++t) {
      const auto at = static_cast<std::size_t>(row * m_reference.tokens() + token) + t;
      const std::span wanted(ids->data() + at * count, count);
      const auto own =
          tap.ids.subspan(t * static_cast<std::size_t>(tap.width), static_cast<std::size_t>(tap.width));
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
        double gap = std::abs(double{tap.weights[j]} - (*weights)[at * count + i]);
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
  std::map<std::string, ValueDifference> m_values;
  std::map<std::string, double> m_largest;
  std::map<std::size_t, RoutingDifference> m_routing;  ///< by router
};

/// Forwards the ids in one step, or one step a token, and calls `visit(first token, output)`.
template <class Visit>
Result<void> forwardAll(Session& session, std::span<const std::int32_t> ids, const VerifyOptions& options,
                        const Visit& visit) {
  const std::size_t step = options.tokenByToken ? 1 : ids.size();
  for (std::size_t first = 0; first < ids.size(); first += step) {
    if (options.stop.stop_requested()) return fail("cancelled", "", "", "verification was cancelled");
    StepRequest request;
    request.ids = ids.subspan(first, step);
    request.logits = LogitRows::All;
    request.inputs = true;
    request.hidden = true;
    auto output = session.forward(request);
    if (!output) return fail(std::move(output).error());
    visit(static_cast<std::int64_t>(first), *output);
  }
  return {};
}

Result<GreedyDifference> compareGreedy(Session& session, const ReferenceFile& reference,
                                       const VerifyOptions& options) {
  GreedyDifference difference;
  const std::span<const std::int32_t> ids(reference.ids().data(),
                                          static_cast<std::size_t>(reference.tokens()));
  std::vector<float> logits;
  auto done = forwardAll(session, ids, options, [&](std::int64_t, const StepOutput& output) {
    const std::size_t vocabulary = output.logits.size() / (options.tokenByToken ? 1 : ids.size());
    logits.assign(output.logits.end() - static_cast<std::ptrdiff_t>(vocabulary), output.logits.end());
  });
  if (!done) return fail(std::move(done).error());
  for (const std::int32_t wanted : reference.greedyIds()) {
    if (options.stop.stop_requested()) return fail("cancelled", "", "", "verification was cancelled");
    const auto best = std::max_element(logits.begin(), logits.end());
    ++difference.tokens;
    if (best - logits.begin() != wanted) ++difference.differ;
    difference.maxGap = std::max(difference.maxGap, double{*best} - logits[static_cast<std::size_t>(wanted)]);
    if (difference.tokens == static_cast<std::int64_t>(reference.greedyIds().size())) break;
    StepRequest request;
    request.ids = std::span(&wanted, 1);
    request.decode = true;
    request.taps = false;
    auto output = session.forward(request);
    if (!output) return fail(std::move(output).error());
    logits.assign(output->logits.begin(), output->logits.end());
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
  report.notCompared = reference->unknown();
  Comparison comparison(*reference, description, options);
  const auto tokens = static_cast<std::size_t>(reference->tokens());
  for (std::int64_t row = 0; row < reference->rows(); ++row) {
    (*session)->rewind(0);
    const std::span ids(reference->ids().data() + static_cast<std::size_t>(row) * tokens, tokens);
    auto done = forwardAll(**session, ids, options, [&](std::int64_t token, const StepOutput& output) {
      comparison.add(row, token, output);
    });
    if (!done) return fail(std::move(done).error());
  }
  comparison.finish(report);
  if (!reference->greedyIds().empty()) {
    (*session)->rewind(0);
    auto greedy = compareGreedy(**session, *reference, options);
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
