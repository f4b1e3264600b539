// Result<T>: errors as values across module borders.
// Not for control flow inside a module, where exceptions are fine if they end there.
#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace moescope {

/// One failure, ready to be shown: what, where, what to do.
struct Error {
  std::string kind;     ///< stable word `area.what`, listed in docs/cli.md
  std::string file;     ///< path as the user gave it; empty if no file is involved
  std::string where;    ///< place inside the file (byte, key, line); may be empty
  std::string message;  ///< what is wrong, one sentence without a full stop
  std::string advice;   ///< what to do, one sentence without a full stop; may be empty

  /// `FILE: what is wrong (where); what to do`, the text of an error line without the program name.
  [[nodiscard]] std::string text() const;
};

template <class T>
using Result = tl::expected<T, Error>;

/// Builds the error side of a Result: `return fail("config.missing", path, "", "no config.json", "...")`.
inline tl::unexpected<Error> fail(std::string kind, std::string file, std::string where, std::string message,
                                  std::string advice = {}) {
  return tl::unexpected<Error>(
      Error{std::move(kind), std::move(file), std::move(where), std::move(message), std::move(advice)});
}

inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace moescope
