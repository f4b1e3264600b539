// Pattern: a literal string or a regular expression of tokenizer.json, with limits on what a search may cost.
// Not for what is done with the matches (pre_tokenizer.h, normalizer.h).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/tokenizer/component.h"

namespace moescope::tokenizer {

/// A part of a text in bytes, and whether the pattern matched it.
struct PatternPart {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool match = false;
};

class Pattern {
 public:
  /// Reads {"String": ...} or {"Regex": ...}. Errors: `tokenizer.pattern`, `tokenizer.unsupported`.
  static Pattern read(const Component& component);
  /// A pattern of the program itself.
  static Pattern builtIn(const char* regex);

  /// Appends parts that cover the text (valid UTF-8) without gap, matches in order from the left. Throws a
  /// Refusal `tokenizer.pattern` if matching exceeds its limits.
  void split(std::string_view text, std::vector<PatternPart>& parts) const;

 private:
  struct Compiled;
  Pattern() = default;
  static Pattern compile(const Component& component);
  void splitLiteral(std::string_view text, std::vector<PatternPart>& parts) const;
  void splitRegex(std::string_view text, std::vector<PatternPart>& parts) const;

  std::string m_literal;                    // if not empty
  std::shared_ptr<const Compiled> m_regex;  // else
};

}  // namespace moescope::tokenizer
