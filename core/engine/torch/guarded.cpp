#include "core/engine/torch/guarded.h"

#include <new>

#include <c10/util/Exception.h>

namespace moescope::engine {

namespace {

std::string firstLine(const char* text) {
  std::string line(text);
  return line.substr(0, line.find('\n'));
}

}  // namespace

Error errorInFlight(const std::string& activity) {
  const std::string advice = "choose a shorter context, a smaller dtype or another device";
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return {"machine.out_of_memory", "", "", "there is not enough memory for " + activity, advice};
  } catch (const c10::OutOfMemoryError& error) {
    return {"machine.out_of_memory", "", "",
            "there is not enough memory for " + activity + ": " + firstLine(error.what_without_backtrace()),
            advice};
  } catch (const c10::Error& error) {
    // The CPU allocator of LibTorch throws its general error.
    const std::string text = firstLine(error.what_without_backtrace());
    if (text.find("can't allocate memory") != std::string::npos) {
      return {"machine.out_of_memory", "", "", "there is not enough memory for " + activity, advice};
    }
    return {"engine.failed", "", "", activity + " failed: " + text, ""};
  } catch (const std::exception& error) {
    return {"engine.failed", "", "", activity + " failed: " + firstLine(error.what()), ""};
  } catch (...) {
    return {"engine.failed", "", "", activity + " failed", ""};
  }
}

}  // namespace moescope::engine
