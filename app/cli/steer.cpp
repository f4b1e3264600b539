// `moescope steer`: writes steering programs and checks them against a model, without running it.
#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/cli/command.h"
#include "app/cli/rule_options.h"
#include "app/cli/run_options.h"
#include "app/cli/text_table.h"
#include "core/base/router_label.h"
#include "core/base/shown_text.h"
#include "core/checkpoint/checkpoint.h"
#include "core/steering/operation_words.h"
#include "core/steering/steering_plan.h"

namespace moescope::cli {

namespace {

using nlohmann::ordered_json;
using steering::PlanStep;
using steering::Rule;
using steering::SteeringPlan;
using steering::SteeringProgram;

struct CheckOptions {
  std::string file, model;
  bool json = false;
};

/// A program and, where a model was given, what it comes to there.
struct Checked {
  SteeringProgram program;
  std::string model;                         ///< display name
  std::shared_ptr<const SteeringPlan> plan;  ///< null without a model
};

Result<Checked> check(const CheckOptions& options) {
  auto program = readPrograms({options.file});
  if (!program) return fail(program.error());
  Checked checked{*std::move(program), "", nullptr};
  if (options.model.empty()) return checked;
  const auto opened = checkpoint::Checkpoint::open(options.model);
  if (!opened) return fail(opened.error());
  auto plan = steering::compile(checked.program, (*opened)->description().routers, options.file);
  if (!plan) return fail(plan.error());
  checked.model = (*opened)->displayName();
  checked.plan = *std::move(plan);
  return checked;
}

/// Model layers in which the rule does something.
std::vector<std::int32_t> layersOf(const Rule& rule, const SteeringPlan& plan) {
  std::vector<std::int32_t> layers;
  for (const auto& layer : plan.layers) {
    const bool acts = std::any_of(layer.steps.begin(), layer.steps.end(),
                                  [&rule](const PlanStep& s) { return s.ruleId == rule.id; });
    // A layer may have two routers.
    if (acts && (layers.empty() || layers.back() != layer.router.layer.value))
      layers.push_back(layer.router.layer.value);
  }
  return layers;
}

std::string_view stateOf(const Rule& rule, const Checked& checked) {
  if (!rule.enabled) return "off";
  if (checked.plan == nullptr) return "on";
  return layersOf(rule, *checked.plan).empty() ? "neutral" : "on";
}

ordered_json positionsJson(const steering::PositionScope& positions) {
  if (positions == steering::PositionScope{}) return "all";
  ordered_json object{{"from", positions.from}};
  if (positions.to) object["to"] = *positions.to;
  if (positions.every != 1) object["every"] = positions.every;
  return object;
}

ordered_json stepJson(const PlanStep& step) {
  return {{"rule", step.ruleId},        {"primitive", word(step.primitive)},
          {"op", word(step.operation)}, {"experts", step.experts},
          {"phase", word(step.phase)},  {"positions", positionsJson(step.positions)}};
}

ordered_json document(const CheckOptions& options, const Checked& checked) {
  ordered_json rules = ordered_json::array();
  for (const Rule& rule : checked.program.rules) {
    ordered_json entry{
        {"id", rule.id}, {"title", steering::ruleTitle(rule)}, {"state", stateOf(rule, checked)}};
    if (checked.plan != nullptr) entry["layers"] = layersOf(rule, *checked.plan);
    rules.push_back(std::move(entry));
  }
  ordered_json result{
      {"program", options.file}, {"ok", true}, {"name", checked.program.name}, {"rules", rules}};
  if (checked.plan == nullptr) return result;
  result["model"] = checked.model;
  result["layers"] = ordered_json::array();
  for (const auto& layer : checked.plan->layers) {
    ordered_json steps = ordered_json::array();
    for (const PlanStep& step : layer.steps) steps.push_back(stepJson(step));
    result["layers"].push_back({{"layer", layer.router.layer.value},
                                {"kind", layer.router.kind},
                                {"experts", layer.router.experts},
                                {"top_k", layer.router.topK},
                                {"steps", std::move(steps)}});
  }
  result["conflicts"] = ordered_json::array();
  for (const auto& conflict : checked.plan->conflicts) {
    result["conflicts"].push_back(
        {{"winner", conflict.winner}, {"loser", conflict.loser}, {"text", conflict.text}});
  }
  result["warnings"] = checked.plan->warnings;
  return result;
}

std::string scopeText(const PlanStep& step) {
  std::string text(step.phase == steering::PhaseScope::Both ? "all tokens" : word(step.phase));
  if (step.positions == steering::PositionScope{}) return text;
  text += fmt::format(", from token {}", step.positions.from);
  if (step.positions.to) text += fmt::format(" before {}", *step.positions.to);
  if (step.positions.every != 1) text += fmt::format(", every {}", step.positions.every);
  return text;
}

std::string expertsText(const PlanStep& step, int experts) {
  if (step.experts.empty())
    return step.givesChoice() ? fmt::format("{}", fmt::join(step.operand.orderedIds, ",")) : "-";
  if (static_cast<int>(step.experts.size()) == experts) return "all";
  return fmt::format("{}", fmt::join(step.experts, ","));
}

void printPlan(const Checked& checked) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& layer : checked.plan->layers) {
    std::string number = routerLabel(keyOf(layer.router));
    if (layer.router.encoderLayers > 0) number += fmt::format(" ({})", routerLabel(layer.router));
    if (layer.empty()) rows.push_back({number, "", "native", "", "", ""});
    for (const PlanStep& step : layer.steps) {
      rows.push_back({number, std::to_string(step.ruleId),
                      fmt::format("{} {}", word(step.primitive), word(step.operation)),
                      expertsText(step, layer.router.experts), scopeText(step),
                      shown(steering::ruleTitle(*checked.program.find(step.ruleId)), 60)});
    }
  }
  printTable({{"layer", true}, {"rule", true}, {"does"}, {"experts"}, {"tokens"}, {"title"}}, rows);
  fmt::print("\n");
}

void printText(const CheckOptions& options, const Checked& checked) {
  if (checked.plan != nullptr) printPlan(checked);
  Facts facts{{"rules", std::to_string(checked.program.rules.size())}};
  for (const Rule& rule : checked.program.rules) {
    const auto state = stateOf(rule, checked);
    if (state == "on") continue;
    facts.emplace_back(state, fmt::format("rule {}, {}", rule.id, shown(steering::ruleTitle(rule), 60)));
  }
  if (checked.plan == nullptr) {
    facts.emplace_back("result", "the format is right; give --model to check it against a model");
  } else {
    for (const auto& conflict : checked.plan->conflicts) {
      facts.emplace_back("conflict", fmt::format("rule {} over rule {}: {}", conflict.winner, conflict.loser,
                                                 conflict.text));
    }
    for (const auto& warning : checked.plan->warnings) facts.emplace_back("warning", warning);
    facts.emplace_back("result", "fits " + checked.model);
  }
  printFacts(options.file, facts);
}

int runCheck(const CheckOptions& options) {
  const auto checked = check(options);
  if (!checked) return report(checked.error(), options.json);
  if (options.json) {
    print(document(options, *checked));
  } else {
    printText(options, *checked);
  }
  return kDone;
}

int runNew(const RuleOptions& options) {
  const auto program = programFrom(options);
  if (!program) return report(program.error(), false);
  print(steering::toJson(*program));
  return kDone;
}

void addNew(CLI::App& steer, std::function<int()>& run) {
  auto options = std::make_shared<RuleOptions>();
  CLI::App* command = steer.add_subcommand("new", "Write a program to standard output");
  const auto list = [command](const char* name, std::vector<std::string>& texts, const char* form,
                              const char* help) {
    command->add_option(name, texts, help)->type_name(form)->allow_extra_args(false);
  };
  list("--ban", options->ban, "CELLS", "Never choose these experts (KEY ban)");
  list("--pin", options->pin, "CELLS", "Always choose them, with their own weight (KEY pin+)");
  list("--add", options->add, "CELLS=V", "Add V to their logits (LOGIT add)");
  list("--scale", options->scale, "CELLS=V", "Multiply their gate weights by V (WEIGHT mul)");
  list("--top-k", options->topK, "[LAYERS=]N", "Choose N experts (COUNT fixed)");
  command
      ->add_flag("--uniform", options->uniform,
                 "Equal weights that keep their sum (WEIGHT uniform); --uniform=LAYERS for some")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--phase", options->phase, "Tokens of the prompt, written tokens, or both")
      ->check(CLI::IsMember({"both", "prefill", "decode"}))
      ->capture_default_str();
  command
      ->add_option("--positions", options->positions,
                   "all, N, or FROM:TO[:EVERY], counted from 0 in the sequence; TO is not in it")
      ->type_name("SCOPE")
      ->capture_default_str();
  command
      ->add_option("--port", options->port,
                   "Where --ban, --pin, --add and --scale act, if not where they do by themselves")
      ->check(CLI::IsMember({"native", "logit", "key"}))
      ->capture_default_str();
  command->add_option("--router", options->router, "Kind of router, in models whose layers have several")
      ->check(CLI::IsMember({"all", "ffn", "attention"}))
      ->capture_default_str();
  command->add_option("--name", options->name, "Name of the program");
  command->footer(
      "CELLS are LAYERS:EXPERTS. LAYERS and EXPERTS are numbers and ranges with commas (3, 0-2,5), or * for "
      "all\n"
      "of them. Every rule option can be repeated; each makes one rule.\n\n"
      "Example:\n  moescope steer new --ban 3:17,18 --add '*:2=+1.5' --top-k 0-1=2 --phase decode > "
      "program.json");
  command->callback([options, &run] { run = [options] { return runNew(*options); }; });
}

void addSteerCheck(CLI::App& steer, std::function<int()>& run) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command = steer.add_subcommand("check", "Validate a program against a model and show its plan");
  command->add_option("FILE", options->file, "Steering program")->required();
  command
      ->add_option("-m,--model", options->model, "Checkpoint folder; without it only the format is checked")
      ->type_name("DIR");
  command->add_flag("--json", options->json, "One JSON document");
  command->footer(
      "Conflicts are resolved as docs/steering.md says and are no error. Exit status 2 if the program cannot "
      "be used.\n\n"
      "Example:\n  moescope steer check program.json --model resources/demo/model");
  command->callback([options, &run] { run = [options] { return runCheck(*options); }; });
}

}  // namespace

void addSteer(CLI::App& app, std::function<int()>& run) {
  CLI::App* command = app.add_subcommand("steer", "Write and check steering programs");
  command->require_subcommand(1);
  command->footer("Example:\n  moescope steer new --ban 3:17 > program.json");
  addNew(*command, run);
  addSteerCheck(*command, run);
}

}  // namespace moescope::cli
