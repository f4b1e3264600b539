// What steering costs.
#include <array>

#include "app/bench/bench.h"
#include "app/bench/loaded_model.h"
#include "app/bench/measure.h"
#include "app/bench/paired_cost.h"

namespace moescope::bench {

namespace {

using nlohmann::ordered_json;

constexpr int kRules = 20;
// What the lower end of the interval may be on the demo model, in percent.
constexpr double kBar = 3.0;

/// Bans, boosts, pins and changes of k, spread over layers and experts so that every layer has work.
steering::SteeringProgram spreadRules(const checkpoint::ModelDescription& description) {
  steering::SteeringProgram program;
  const auto& routers = description.routers;
  for (int i = 0; i < kRules; ++i) {
    const RouterSpec& router = routers[static_cast<std::size_t>(i) % routers.size()];
    const ExpertCell cell{router.layer, ExpertIndex{(7 * i + 3) % router.experts}};
    switch (i % 3) {
      case 0: program.rules.push_back(steering::banRule(program, cell)); break;
      case 1: program.rules.push_back(steering::addLogitRule(program, cell, 0.5)); break;
      default: program.rules.push_back(steering::pinRule(program, cell)); break;
    }
  }
  return program;
}

}  // namespace

Result<ordered_json> benchSteering(const BenchOptions& options) {
  auto loaded = LoadedModel::load(options);
  if (!loaded) return fail(loaded.error());
  const auto cost = PairedCost::create(*loaded, options);
  if (!cost) return fail(cost.error());
  const auto program = spreadRules(loaded->model->checkpoint().description());
  auto percents = cost->percents(
      [&](bool steered) -> Result<std::unique_ptr<engine::Generation>> {
        auto text =
            loaded->startText(nullptr, trace::CaptureLevel::None, cost->tokensPerText(), options.stop);
        if (!text || !steered) return text;
        if (auto set = (*text)->setProgram(program, engine::SteeringMode::FromNowOn, options.stop); !set)
          return fail(set.error());
        return text;
      },
      [] { return Result<void>{}; });
  if (!percents) return fail(percents.error());
  auto result = loaded->header("steering");
  result["rules"] = kRules;
  result["tokens_per_side"] = cost->tokensPerSide();
  result["pairs"] = kPairs;
  result["overhead_percent"] = toJson(medianInterval(std::move(percents->wall)));
  result["overhead_thread_percent"] = toJson(medianInterval(std::move(percents->thread)));
  if (isDemo(options.model))
    result["bars"] = {costBar("overhead_percent low", result["overhead_percent"], kBar)};
  return result;
}

}  // namespace moescope::bench
