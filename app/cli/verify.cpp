// `moescope verify`: runs a checkpoint on the tokens of a reference file and compares everything in it.
#include "core/engine/api/verify.h"

#include <chrono>
#include <cmath>
#include <iostream>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "app/cli/command.h"
#include "app/cli/run_options.h"

namespace moescope::cli {

namespace {

struct Options {
  std::string model;
  std::string reference;
  std::string definition = "authors";
  engine::LoadOptions load;
  engine::VerifyOptions verify;
  bool json = false;
};

/// JSON has no infinity; a difference that is not finite is null.
nlohmann::ordered_json number(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

nlohmann::ordered_json document(const engine::VerifyReport& report, const engine::Model& model,
                                const Options& options, double loadSeconds) {
  nlohmann::ordered_json values = nlohmann::ordered_json::array();
  for (const auto& v : report.values) {
    values.push_back({{"quantity", v.quantity},
                      {"values", v.values},
                      {"max_absolute", number(v.maxAbsolute)},
                      {"max_relative", number(v.maxRelative)},
                      {"where", v.where},
                      {"failed", v.failed}});
  }
  nlohmann::ordered_json routing = nlohmann::ordered_json::array();
  for (const auto& r : report.routing) {
    routing.push_back({{"layer", r.layer},
                       {"kind", r.kind},
                       {"label", r.label},
                       {"rows", r.rows},
                       {"set_differs", r.setDiffers},
                       {"set_differs_clearly", r.setDiffersClearly},
                       {"set_differs_beyond_rounding", r.setDiffersBeyondRounding},
                       {"widest_margin", number(r.widestMargin)},
                       {"order_differs", r.orderDiffers},
                       {"max_weight", number(r.maxWeight)},
                       {"where", r.where},
                       {"failed", r.failed}});
  }
  nlohmann::ordered_json greedy = nullptr;
  if (report.greedy) {
    greedy = {{"tokens", report.greedy->tokens},
              {"differ", report.greedy->differ},
              {"max_gap", number(report.greedy->maxGap)},
              {"failed", report.greedy->failed}};
  }
  return {{"model", options.model},
          {"family", model.checkpoint().description().family},
          {"load_seconds", loadSeconds},
          {"reference", options.reference},
          {"device", model.device().id},
          {"dtype", model.dtypeName()},
          {"tolerance", options.verify.tolerance},
          {"token_by_token", options.verify.tokenByToken},
          {"rows", report.rows},
          {"tokens_per_row", report.tokensPerRow},
          {"decoder_tokens_per_row", report.decoderTokensPerRow},
          {"values", values},
          {"routing", routing},
          {"greedy", greedy},
          {"not_compared", report.notCompared},
          {"passed", report.passed}};
}

void printTable(const engine::VerifyReport& report, const engine::Model& model, const Options& options) {
  const std::string decoder = report.decoderTokensPerRow > 0
                                  ? fmt::format(" and {} of the decoder", report.decoderTokensPerRow)
                                  : std::string();
  fmt::print("{} on {}, {}; {} rows of {} tokens{}\n\n", options.model, model.device().id, model.dtypeName(),
             report.rows, report.tokensPerRow, decoder);
  fmt::print("{:<24} {:>12} {:>12}  {}\n", "quantity", "max abs", "max rel", "where");
  for (const auto& v : report.values) {
    fmt::print("{:<24} {:>12.3g} {:>12.3g}  {}{}\n", v.quantity, v.maxAbsolute, v.maxRelative, v.where,
               v.failed ? "  FAILED" : "");
  }
  fmt::print("\n{:<14} {:>8} {:>12} {:>16} {:>14} {:>12}  {}\n", "routing", "rows", "other ids",
             "beyond rounding", "other order", "max weight", "where");
  for (const auto& r : report.routing) {
    const std::string router = (report.decoderTokensPerRow > 0 ? "" : "L") + r.label;
    fmt::print("{:<14} {:>8} {:>12} {:>16} {:>14} {:>12.3g}  {}{}\n", router, r.rows, r.setDiffers,
               r.setDiffersBeyondRounding, r.orderDiffers, r.maxWeight, r.where, r.failed ? "  FAILED" : "");
  }
  if (report.greedy) {
    fmt::print("\ngreedy continuation: {} of {} tokens differ{}\n", report.greedy->differ,
               report.greedy->tokens, report.greedy->failed ? "  FAILED" : "");
  }
  for (const auto& name : report.notCompared) fmt::print("not compared: {}\n", name);
  fmt::print("\n{} (tolerance {:g})\n",
             report.passed ? "agrees with the reference" : "DOES NOT AGREE with the reference",
             options.verify.tolerance);
}

int runVerify(const Options& options) {
  const auto checkpoint =
      checkpoint::Checkpoint::open(options.model, {}, definitionNamed(options.definition));
  if (!checkpoint) return report(checkpoint.error(), options.json);
  const auto engine = engine::loadEngine();
  if (!engine) return report(engine.error(), options.json);
  const auto start = std::chrono::steady_clock::now();
  const auto model = (*engine)->load(*checkpoint, options.load, progressPrinter(true), interruptToken());
  if (!model) return report(model.error(), options.json);
  const std::chrono::duration<double> loadTime = std::chrono::steady_clock::now() - start;
  const auto verified = engine::verify(**model, options.reference, options.verify);
  if (!verified) return report(verified.error(), options.json);
  if (options.json) {
    print(document(*verified, **model, options, loadTime.count()));
  } else {
    printTable(*verified, **model, options);
  }
  return verified->passed ? kDone : kFailed;
}

}  // namespace

void addVerify(CLI::App& app, std::function<int()>& run) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("verify", "Compare a checkpoint's outputs with a reference file");
  command->add_option("DIR", options->model, "Checkpoint folder")->required();
  command->add_option("--reference", options->reference, "Reference file (safetensors)")->required();
  command->add_option("--device", options->load.device, "auto, cpu, cuda, cuda:N, or cpu-torch")
      ->capture_default_str();
  addDtypeOption(*command, options->load.dtype);
  addCompatOption(*command, options->definition);
  command->add_option("--threads", options->load.threads, "Threads (0: one less than the processor has)")
      ->check(CLI::Range(0, 1024));
  command->add_option("--tolerance", options->verify.tolerance, "Largest absolute difference of a value")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--token-by-token", options->verify.tokenByToken,
                    "One step a token instead of one prefill a row");
  command->add_flag("--json", options->json, "One JSON document");
  command->footer(
      "Exit status 1 if a value differs by more than the tolerance, or if a choice of experts differs where "
      "the\n"
      "reference is not nearly tied.\n\n"
      "Example:\n  moescope verify resources/demo/model --reference resources/demo/reference.safetensors");
  command->callback([options, &run] {
    run = [options] {
      options->verify.stop = interruptToken();
      options->verify.rounding = options->load.dtype;
      return runVerify(*options);
    };
  });
}

}  // namespace moescope::cli
