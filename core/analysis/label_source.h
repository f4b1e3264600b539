// LabelSource: where the labels of tokens come from, as typed: the corpus, regular expressions, a
// selection, or positions.
// Not for which token has which label (label_units.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/token_pattern.h"
#include "core/trace/routing_types.h"

namespace moescope::analysis {

/// "corpus", "corpus:KEY", "regex:NAME=RE;NAME=RE", "tokens:NAME=FIRST-LAST,FIRST-LAST;NAME=..." or
/// "positions:WIDTH".
struct LabelSource {
  enum class Kind : std::uint8_t { Corpus, Regex, Tokens, Positions };
  struct Named {
    std::string name;
    TokenPattern pattern;                   ///< Regex
    std::vector<trace::TokenRange> ranges;  ///< Tokens
  };
  Kind kind = Kind::Corpus;
  std::string key;            ///< Corpus: empty is `label`, or the first key where no text has that
  int width = 0;              ///< Positions: of a bin, in tokens
  std::vector<Named> labels;  ///< Regex, Tokens: in the order given; the first that fits a token is its label

  /// True where all tokens of a text have the same label.
  [[nodiscard]] bool perText() const { return kind == Kind::Corpus; }
};

inline constexpr int kMostLabels = 100;
/// What tokens get that no expression and no range fits.
inline constexpr std::string_view kOtherLabel = "other";

/// A `;` inside an expression is written `\;`. Token ranges count rows of the run from 0, both ends are
/// in them. Errors: `analysis.bad_param`.
Result<LabelSource> labelSourceFrom(std::string_view text);

}  // namespace moescope::analysis
