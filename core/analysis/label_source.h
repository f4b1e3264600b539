// LabelSource: where the labels of tokens come from, as typed: the corpus, regular expressions, a selection.
// Not for which token has which label (label_units.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/token_pattern.h"
#include "core/trace/routing_types.h"

namespace moescope::analysis {

/// "corpus", "corpus:KEY", "regex:NAME=RE;NAME=RE" or "tokens:NAME=FIRST-LAST,FIRST-LAST;NAME=...".
struct LabelSource {
  enum class Kind : std::uint8_t { Corpus, Regex, Tokens };
  struct Named {
    std::string name;
    TokenPattern pattern;                   ///< Regex
    std::vector<trace::TokenRange> ranges;  ///< Tokens
  };
  Kind kind = Kind::Corpus;
  std::string key;            ///< Corpus: empty is `label`, or the first key where no text has that
  std::vector<Named> labels;  ///< in the order given; the first that fits a token is its label

  /// True where all tokens of a text have the same label.
  [[nodiscard]] bool perText() const { return kind == Kind::Corpus; }
};

/// What tokens get that no expression and no range fits.
inline constexpr std::string_view kOtherLabel = "other";

/// A `;` inside an expression is written `\;`. Token ranges count rows of the run from 0, both ends are
/// in them. Errors: `analysis.bad_param`.
Result<LabelSource> labelSourceFrom(std::string_view text);

}  // namespace moescope::analysis
