// Scope: names and values of a part of a template, within those of the part around it. Not for attributes.
#pragma once

#include <string>
#include <unordered_map>

#include "core/chat/value.h"

namespace moescope::chat {

class Scope {
 public:
  explicit Scope(const Scope* outer) : m_outer(outer) {}

  void set(const std::string& name, Value value) { m_values[name] = std::move(value); }
  /// Null if no scope has it.
  [[nodiscard]] const Value* find(const std::string& name) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->m_outer) {
      const auto found = scope->m_values.find(name);
      if (found != scope->m_values.end()) return &found->second;
    }
    return nullptr;
  }

 private:
  const Scope* m_outer;
  std::unordered_map<std::string, Value> m_values;
};

}  // namespace moescope::chat
