#include "core/engine/api/engine.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <utility>

namespace moescope::engine {

namespace {

constexpr const char* kLibraryName = "libmoescope_engine.so";

std::filesystem::path findLibrary() {
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const char* place : {".", "../lib", "lib"}) {
    auto path = program / place / kLibraryName;
    if (std::filesystem::exists(path, ignored)) return path;
  }
  return {};
}

Result<std::shared_ptr<Engine>> open() {
  const auto path = findLibrary();
  if (path.empty()) {
    return fail("engine.missing", kLibraryName, "", "this build has no engine, so it cannot run models",
                "build with MOESCOPE_ENGINE=ON");
  }
  setOpenMpEnvironment();
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return fail("engine.broken", path.string(), "", std::string("cannot be loaded: ") + ::dlerror(),
                "rebuild it with ./dev build");
  }
  const auto create = reinterpret_cast<CreateEngine>(::dlsym(library, kCreateEngineSymbol));
  Engine* engine = create != nullptr ? create(kEngineAbi) : nullptr;
  if (engine == nullptr) {
    return fail("engine.broken", path.string(), "", "belongs to another version of MoEScope",
                "rebuild it with ./dev build");
  }
  return std::shared_ptr<Engine>(engine);
}

}  // namespace

bool setOpenMpEnvironment() {
  constexpr std::pair<const char*, const char*> kSettings[] = {{"OMP_WAIT_POLICY", "passive"},
                                                               {"GOMP_SPINCOUNT", "0"}};
  bool changed = false;
  for (const auto& [name, value] : kSettings) {
    if (std::getenv(name) != nullptr) continue;
    ::setenv(name, value, 0);
    changed = true;
  }
  return changed;
}

Result<std::shared_ptr<Engine>> loadEngine() {
  // The library stays loaded until the end: torch does not survive being unloaded.
  static std::mutex mutex;
  static std::shared_ptr<Engine> engine;
  const std::lock_guard lock(mutex);
  if (engine == nullptr) {
    auto opened = open();
    if (!opened) return opened;
    engine = *std::move(opened);
  }
  return engine;
}

}  // namespace moescope::engine
