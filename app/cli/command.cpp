#include "app/cli/command.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <memory>
#include <thread>

#include <fmt/format.h>

#include "app/cli/text_table.h"

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
  if (kind.ends_with(".plugin_failed")) return kFailed;
  return kBadInput;
}

std::string remaining(double seconds) {
  if (seconds < 60) return fmt::format("{:.0f} s left", seconds);
  return fmt::format("{:.0f} min left", seconds / 60);
}

/// A progress line without an end stands on the terminal.
std::atomic<bool> lineIsOpen = false;

using Clock = std::chrono::steady_clock;

/// One activity after the other, each with its own rate.
class ProgressPrinter {
 public:
  void operator()(const Progress& progress) {
    const auto now = Clock::now();
    if (progress.activity != m_activity) begin(progress, now);
    const bool finished = progress.total > 0 && progress.done >= progress.total;
    // What takes no time needs no line.
    if (!m_shown && now - m_start < (m_terminal ? kFirstOnTerminal : kPause)) return;
    if (!finished && now - m_last < (m_terminal ? kFirstOnTerminal : kPause)) return;
    m_last = now;
    m_shown = true;
    lineIsOpen = m_terminal && !finished;
    std::cerr << (m_terminal ? "\r\033[K" : "") << line(progress, finished) << (lineIsOpen ? "" : "\n")
              << std::flush;
  }

 private:
  static constexpr auto kFirstOnTerminal = std::chrono::milliseconds(150);
  static constexpr auto kPause = std::chrono::milliseconds(3000);

  void begin(const Progress& progress, Clock::time_point now) {
    m_activity = progress.activity;
    m_startDone = progress.done;
    m_start = now;
    m_last = {};
    m_shown = false;
  }

  [[nodiscard]] std::string line(const Progress& progress, bool finished) const {
    const bool bytes = progress.unit == "bytes";
    const auto amount = [bytes](std::int64_t n) { return bytes ? bytesText(n) : std::to_string(n); };
    const double seconds = std::chrono::duration<double>(Clock::now() - m_start).count();
    const double rate = seconds > 0 ? static_cast<double>(progress.done - m_startDone) / seconds : 0;
    std::string text = fmt::format("{}, {}", progress.activity, amount(progress.done));
    if (progress.total > 0) text += " of " + amount(progress.total);
    if (!bytes) text += " " + progress.unit;
    text += fmt::format(", {}/s", amount(static_cast<std::int64_t>(rate)));
    if (progress.total > 0 && rate > 0 && !finished) {
      text += ", " + remaining(static_cast<double>(progress.total - progress.done) / rate);
    }
    return text;
  }

  const bool m_terminal = ::isatty(STDERR_FILENO) != 0;
  std::string m_activity;
  std::int64_t m_startDone = 0;
  Clock::time_point m_start{}, m_last{};
  bool m_shown = false;
};

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
  note("moescope: " + error.text());
  return statusOf(error.kind);
}

void note(const std::string& line) {
  std::cerr << (lineIsOpen.exchange(false) ? "\n" : "") << line << std::endl;
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
  return [printer = std::make_shared<ProgressPrinter>()](const Progress& progress) { (*printer)(progress); };
}

}  // namespace moescope::cli
