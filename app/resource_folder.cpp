#include "app/resource_folder.h"

namespace moescope::app {

std::filesystem::path resourceFolder() {
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  const auto installed = program / "../share/moescope";
  if (std::filesystem::exists(installed / "demo", ignored)) return installed.lexically_normal();
  return MOESCOPE_SOURCE_RESOURCES;
}

}  // namespace moescope::app
