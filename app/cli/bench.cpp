// `moescope bench`: measures, and prints figures with the machine they were measured on.
#include "app/bench/bench.h"

#include <map>
#include <memory>

#include <fmt/format.h>

#include "app/bench/measure.h"
#include "app/cli/command.h"
#include "app/cli/run_options.h"
#include "app/cli/text_table.h"
#include "app/resource_folder.h"

namespace moescope::cli {

namespace {

using nlohmann::ordered_json;

using Measurement = Result<ordered_json> (*)(const bench::BenchOptions&);
// In the order of the table.
const std::vector<std::pair<std::string, Measurement>> kMeasurements{
    {"start", &bench::benchStart},       {"load", &bench::benchLoad},
    {"decode", &bench::benchDecode},     {"prefill", &bench::benchPrefill},
    {"record", &bench::benchRecord},     {"steering", &bench::benchSteering},
    {"store", &bench::benchStore},       {"congestion", &bench::benchCongestion},
    {"analyses", &bench::benchAnalyses},
};

struct Options {
  std::string name;
  bench::BenchOptions bench;
  bool selfTest = false, json = false, quiet = false;
};

using Rows = std::vector<std::vector<std::string>>;

std::string figureText(const ordered_json& value) {
  if (value.is_number_float()) return fmt::format("{:.4g}", value.get<double>());
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// One row a number; `name` is its path with its unit.
void addRows(const std::string& bench, const std::string& name, const ordered_json& value, Rows& rows) {
  if (value.is_object() && value.contains("median")) {
    rows.push_back({bench, name, figureText(value["median"]),
                    figureText(value["low"]) + " to " + figureText(value["high"])});
    return;
  }
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items()) {
      addRows(bench, name.empty() ? key : fmt::format("{} {}", name, key), inner, rows);
    }
    return;
  }
  rows.push_back({bench, name, figureText(value), ""});
}

void addBars(const std::string& bench, const ordered_json& bars, Rows& rows) {
  for (const auto& bar : bars) {
    rows.push_back({bench, bar["name"], figureText(bar["value"]),
                    fmt::format("bar {}: {}", figureText(bar["limit"]), bar["met"] ? "met" : "MISSED")});
  }
}

void printDocuments(const std::vector<ordered_json>& documents) {
  fmt::print("{}\n\n", bench::machineLine());
  Rows rows;
  for (const auto& document : documents) {
    const std::string bench = document["bench"];
    for (const auto& [key, value] : document.items()) {
      if (key == "bars") {
        addBars(bench, value, rows);
      } else if (key != "bench" && key != "machine") {
        addRows(bench, key, value, rows);
      }
    }
  }
  printTable({{"bench", false}, {"figure", false}, {"value", true}, {"95 % interval, or bar", false}}, rows);
}

bool barsMet(const ordered_json& document) {
  if (!document.value("passed", true)) return false;
  if (!document.contains("bars")) return true;
  for (const auto& bar : document["bars"]) {
    if (!bar["met"].get<bool>()) return false;
  }
  return true;
}

int runBench(const Options& options) {
  std::vector<ordered_json> documents;
  bool met = true;
  const auto measure = [&](const std::string& name, Measurement measurement) -> Result<void> {
    if (!options.json) fmt::print(stderr, "measuring {}\n", name);
    auto document = measurement(options.bench);
    if (!document) return fail(document.error());
    met = met && barsMet(*document);
    documents.push_back(*std::move(document));
    return {};
  };
  if (options.selfTest) {
    if (auto done = measure("self-test", &bench::selfTest); !done) return report(done.error(), options.json);
  }
  for (const auto& [name, measurement] : kMeasurements) {
    if (options.name.empty() ? options.selfTest : name != options.name) continue;
    if (auto done = measure(name, measurement); !done) return report(done.error(), options.json);
  }
  if (!options.json) {
    printDocuments(documents);
  } else if (documents.size() == 1) {
    print(documents[0]);
  } else {
    print({{"machine", bench::machineLine()}, {"results", documents}});
  }
  return met ? kDone : kFailed;
}

}  // namespace

void addBench(CLI::App& app, std::function<int()>& run) {
  auto options = std::make_shared<Options>();
  options->bench.model = app::resourceFolder() / "demo" / "model";
  CLI::App* command = app.add_subcommand("bench", "Measure speed on this machine");
  std::vector<std::string> names;
  names.reserve(kMeasurements.size());
  for (const auto& [name, measurement] : kMeasurements) names.push_back(name);
  command
      ->add_option(
          "NAME", options->name,
          "start, load, decode, prefill, record, steering, store, congestion or analyses; all without a "
          "name")
      ->check(CLI::IsMember(names));
  command->add_option("--model", options->bench.model, "Checkpoint folder (the demo model)");
  command->add_option("--device", options->bench.load.device, "auto, cpu, cuda or cuda:N")
      ->capture_default_str();
  addDtypeOption(*command, options->bench.load.dtype);
  addRoundedFolderOption(*command, options->bench.load.roundedFolder);
  command
      ->add_option("--threads", options->bench.load.threads, "Threads (0: one less than the processor has)")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  CLI::Option* tokens =
      command
          ->add_option("--tokens", options->bench.tokens,
                       "Tokens of a block; analyses: of the recording, 1000000 if it is not given")
          ->check(CLI::Range(1, 1 << 24))
          ->capture_default_str();
  command->add_option("--context", options->bench.context, "decode: tokens before the first that is measured")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  command->add_option("--blocks", options->bench.repetitions, "decode and prefill: blocks at least")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_flag("--self-test", options->selfTest,
                    "Compare the kernels with LibTorch and with the model's reference file");
  command->add_flag("--json", options->json, "One JSON document");
  command->footer(
      "Exit status 1 if the demo model misses a bar or the self-test finds a difference. A loaded machine\n"
      "measures its load: see the load average in the first line.\n\n"
      "Examples:\n  moescope bench\n  moescope bench record --threads 1\n  moescope bench --self-test");
  command->callback([options, tokens, &run] {
    if (tokens->count() > 0) options->bench.traceTokens = options->bench.tokens;
    run = [options] {
      options->bench.stop = interruptToken();
      return runBench(*options);
    };
  });
}

}  // namespace moescope::cli
