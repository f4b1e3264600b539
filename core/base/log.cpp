#include "core/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>

namespace moescope {

void configureLog(bool verbose) {
  auto logger =
      std::make_shared<spdlog::logger>("moescope", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("moescope: %l: %v");
  logger->set_level(verbose ? spdlog::level::debug : spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace moescope
