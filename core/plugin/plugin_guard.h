// PluginGuard: stands between the program and the code of one plug-in: what throws is switched off until the
// program starts again. Not for crashes, which nothing inside the process can survive.
#pragma once

#include <exception>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/result.h"

namespace moescope::plugin {

/// Any thread.
class PluginGuard {
 public:
  PluginGuard(std::string id, std::string file) : m_id(std::move(id)), m_file(std::move(file)) {}

  [[nodiscard]] const std::string& id() const { return m_id; }
  /// Why it is switched off; none while it works.
  [[nodiscard]] std::optional<Error> reason() const {
    const std::lock_guard lock(m_mutex);
    return m_reason;
  }

  /// Calls `action`, which returns a Result. An exception becomes an error of `kind`, now and from then on.
  template <class Action>
  auto call(const char* kind, Action action) -> decltype(action()) {
    if (const auto off = reason()) return fail({kind, off->file, off->where, off->message, off->advice});
    try {
      return action();
    } catch (const std::exception& error) {
      return fail(switchOff(kind, error.what()));
    } catch (...) {
      return fail(switchOff(kind, "something that is no std::exception"));
    }
  }

  /// Switches the plug-in off: it threw `what` where nobody could ask for a Result.
  Error switchOff(const char* kind, const std::string& what) {
    const std::lock_guard lock(m_mutex);
    m_reason = Error{kind, m_file, "", "the plug-in " + m_id + " threw: " + what,
                     "it stays off until MoEScope is started again; tell its author"};
    return *m_reason;
  }

 private:
  std::string m_id, m_file;
  mutable std::mutex m_mutex;
  std::optional<Error> m_reason;
};

}  // namespace moescope::plugin
