// From the start of the program to the first token.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "app/bench/bench.h"
#include "app/bench/measure.h"

namespace moescope::bench {

namespace {

using nlohmann::ordered_json;

constexpr double kFirstTokenLimitSeconds = 3.0;

tl::unexpected<Error> refused(const std::string& what, int error) {
  return fail("machine.no_process", "/proc/self/exe", "", what + ": " + std::strerror(error));
}

/// Starts this program with `arguments` and gives the seconds until it writes to standard output.
Result<double> secondsToOutput(std::vector<std::string> arguments) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return refused("no pipe", errno);
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  pid_t child = 0;
  int status = 0;
  int failed = 0;
  bool written = false;
  const double seconds = secondsOf([&] {
    failed = ::posix_spawn(&child, "/proc/self/exe", &actions, nullptr, pointers.data(), environ);
    ::close(ends[1]);
    char byte = 0;
    written = failed == 0 && ::read(ends[0], &byte, 1) == 1;
  });
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[0]);
  if (failed != 0) return refused("the program cannot be started again", failed);
  ::waitpid(child, &status, 0);
  if (!written) {
    return fail("bench.no_token", arguments[0], "", "the program that was started wrote no token",
                "see what it says above");
  }
  return seconds;
}

}  // namespace

Result<ordered_json> benchStart(const BenchOptions& options) {
  const std::vector<std::string> arguments{"moescope",
                                           "generate",
                                           "--model",
                                           options.model.string(),
                                           "--prompt",
                                           "It was",
                                           "-n",
                                           "1",
                                           "--temperature",
                                           "0",
                                           "--device",
                                           options.load.device,
                                           "--threads",
                                           std::to_string(options.load.threads),
                                           "--quiet"};
  std::vector<double> seconds;
  for (int repetition = 0; repetition < options.repetitions; ++repetition) {
    if (options.stop.stop_requested()) return fail("cancelled", "", "", "the measurement was cancelled");
    const auto measured = secondsToOutput(arguments);
    if (!measured) return fail(measured.error());
    seconds.push_back(*measured);
  }
  const auto interval = medianInterval(seconds);
  ordered_json result{{"bench", "start"}, {"machine", machineLine()}, {"model", options.model.string()}};
  result["first_token_seconds"] = toJson(interval);
  if (isDemo(options.model)) {
    result["bars"] = {{{"name", "first_token_seconds"},
                       {"value", interval.median},
                       {"limit", kFirstTokenLimitSeconds},
                       {"met", interval.median <= kFirstTokenLimitSeconds}}};
  }
  return result;
}

}  // namespace moescope::bench
