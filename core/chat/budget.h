// Budget: what one rendering may cost, since templates come from strangers. Not for limits on the source
// (parser.h).
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

namespace moescope::chat {

/// Ends parsing or rendering; caught where the folder's functions return a Result.
class Fault : public std::runtime_error {
 public:
  Fault(const char* kind, const std::string& message, int line = 0)
      : std::runtime_error(message), m_kind(kind), m_line(line) {}
  [[nodiscard]] const char* kind() const { return m_kind; }
  [[nodiscard]] int line() const { return m_line; }  ///< from 1; 0: not known

 private:
  const char* m_kind;
  int m_line;
};

/// `chat.failed`: the template asks for something that cannot be done.
[[noreturn]] inline void failed(const std::string& message) { throw Fault("chat.failed", message); }

struct Limits {
  std::size_t steps = 2'000'000;   ///< values computed, statements done, elements looked at
  std::size_t bytes = 256u << 20;  ///< of all texts and lists made on the way
  std::size_t output = 8u << 20;   ///< bytes of one text, the result among them
  std::size_t depth = 600;         ///< of expressions, statements and macros within each other
};

class Budget {
 public:
  explicit Budget(const Limits& limits) : m_limits(limits) {}

  void step(std::size_t count = 1) {
    m_steps += count;
    if (m_steps > m_limits.steps) throw Fault("chat.limit", "the template takes too many steps");
  }
  /// A text or list of so many bytes is about to be made; lists take more bytes than the texts they are from.
  void made(std::size_t bytes) {
    m_bytes += bytes;
    if (bytes > 16 * m_limits.output || m_bytes > m_limits.bytes) {
      throw Fault("chat.limit", "the template makes too much text");
    }
  }
  void output(std::size_t total) const {
    if (total > m_limits.output) throw Fault("chat.limit", "the template makes too much text");
  }

  /// Stands for one level of nesting while it lives.
  class Level {
   public:
    explicit Level(Budget& budget) : m_budget(budget) {
      if (++m_budget.m_depth > m_budget.m_limits.depth) {
        --m_budget.m_depth;
        throw Fault("chat.limit", "the template is nested too deeply");
      }
    }
    ~Level() { --m_budget.m_depth; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Budget& m_budget;
  };

 private:
  Limits m_limits;
  std::size_t m_steps = 0;
  std::size_t m_bytes = 0;
  std::size_t m_depth = 0;
};

}  // namespace moescope::chat
