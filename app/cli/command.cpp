#include "app/cli/command.h"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <memory>
#include <thread>

#include <fmt/format.h>

namespace moescope::cli {

namespace {

std::stop_source& interruptSource() {
  static std::stop_source source;
  return source;
}

volatile std::sig_atomic_t interrupted = 0;

int statusOf(const std::string& kind) {
  if (kind == "cancelled") return kCancelled;
  if (kind.starts_with("machine.") || kind.starts_with("engine.")) return kMachine;
  return kBadInput;
}

std::string remaining(double seconds) {
  if (seconds < 60) return fmt::format("{:.0f} s left", seconds);
  return fmt::format("{:.0f} min left", seconds / 60);
}

}  // namespace

int report(const Error& error, bool json) {
  if (json) {
    print({{"error",
            {{"kind", error.kind},
             {"file", error.file},
             {"where", error.where},
             {"message", error.message},
             {"advice", error.advice}}}});
  }
  std::cerr << "moescope: " << error.text() << '\n';
  return statusOf(error.kind);
}

void print(const nlohmann::ordered_json& document) {
  std::cout << document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
}

std::stop_token interruptToken() {
  // A signal handler may not request a stop itself; a watcher thread does.
  static const bool installed = [] {
    static int pipeEnds[2];
    if (::pipe(pipeEnds) != 0) return false;
    struct sigaction action {};
    action.sa_handler = [](int) {
      if (interrupted != 0) ::_exit(kCancelled);
      interrupted = 1;
      const char byte = 0;
      [[maybe_unused]] const auto written = ::write(pipeEnds[1], &byte, 1);
    };
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
    std::thread([] {
      char byte = 0;
      if (::read(pipeEnds[0], &byte, 1) == 1) interruptSource().request_stop();
    }).detach();
    return true;
  }();
  (void)installed;
  return interruptSource().get_token();
}

ProgressCallback progressPrinter(bool quiet) {
  if (quiet) return [](const Progress&) {};
  using Clock = std::chrono::steady_clock;
  struct State {
    Clock::time_point start = Clock::now();
    Clock::time_point last{};
    std::string activity;
    std::int64_t startDone = 0;
  };
  auto state = std::make_shared<State>();
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  return [state, terminal](const Progress& progress) {
    const auto now = Clock::now();
    if (progress.activity != state->activity) {
      *state = {now, {}, progress.activity, progress.done};
    }
    const bool finished = progress.total > 0 && progress.done >= progress.total;
    const auto pause = terminal ? std::chrono::milliseconds(100) : std::chrono::milliseconds(3000);
    if (!finished && now - state->last < pause) return;
    state->last = now;
    const double seconds = std::chrono::duration<double>(now - state->start).count();
    const double rate = seconds > 0 ? static_cast<double>(progress.done - state->startDone) / seconds : 0;
    std::string line = fmt::format("{}, {}", progress.activity, progress.done);
    if (progress.total > 0) line += fmt::format(" of {}", progress.total);
    line += fmt::format(" {}, {:.0f}/s", progress.unit, rate);
    if (progress.total > 0 && rate > 0 && !finished) {
      line += ", " + remaining(static_cast<double>(progress.total - progress.done) / rate);
    }
    std::cerr << (terminal ? "\r\033[K" : "") << line << (terminal && !finished ? "" : "\n") << std::flush;
  };
}

}  // namespace moescope::cli
