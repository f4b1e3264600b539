// `moescope devices`: what the engine can run on, with memory.
#include <memory>

#include <fmt/format.h>

#include "app/cli/command.h"
#include "core/engine/api/engine.h"

namespace moescope::cli {

namespace {

double gibibytes(std::int64_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0 * 1024.0); }

int runDevices(bool json) {
  const auto engine = engine::loadEngine();
  if (!engine) return report(engine.error(), json);
  const auto devices = (*engine)->devices();
  if (!json) {
    fmt::print("{}\n", (*engine)->version());
    for (const auto& device : devices) {
      fmt::print("{:<8} {}, {:.1f} GiB, {:.1f} GiB free\n", device.id, device.name,
                 gibibytes(device.totalBytes), gibibytes(device.freeBytes));
    }
    return kDone;
  }
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& device : devices) {
    list.push_back({{"id", device.id},
                    {"name", device.name},
                    {"total_bytes", device.totalBytes},
                    {"free_bytes", device.freeBytes}});
  }
  print({{"engine", (*engine)->version()}, {"devices", list}});
  return kDone;
}

}  // namespace

void addDevices(CLI::App& app, std::function<int()>& run) {
  auto json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("devices", "List what the engine can run on");
  command->add_flag("--json", *json, "One JSON document");
  command->footer("Example:\n  moescope devices --json");
  command->callback([json, &run] { run = [json] { return runDevices(*json); }; });
}

}  // namespace moescope::cli
