#include "core/tokenizer/precompiled.h"

#include <utf8proc.h>

#include "core/tokenizer/charsmap.h"
#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

// Longer graphemes are not looked up as one.
constexpr std::size_t kMaxGrapheme = 5;

int characters(std::string_view text) {
  int count = 0;
  for (const char c : text) count += isContinuation(c) ? 0 : 1;
  return count;
}

/// End of the grapheme that begins at `begin` (Unicode Annex 29).
std::size_t graphemeEnd(std::string_view text, std::size_t begin) {
  Utf8Unit unit = utf8At(text, begin);
  std::size_t end = begin + unit.length;
  utf8proc_int32_t state = 0;
  while (end < text.size()) {
    // Between two printable ASCII characters there is always a break.
    const Utf8Unit next = utf8At(text, end);
    if (unit.character >= 0x20 && unit.character < 0x7F && next.character < 0x7F) break;
    const bool breaks =
        utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(unit.character),
                                         static_cast<utf8proc_int32_t>(next.character), &state) != 0;
    if (breaks) break;
    end += next.length;
    unit = next;
  }
  return end;
}

class Precompiled final : public Normalizer {
 public:
  explicit Precompiled(Charsmap map) : m_map(std::move(map)) {}

  void apply(AlignedText& aligned) const override {
    const std::string_view text = aligned.text();
    std::vector<Edit> edits;
    edits.reserve(text.size());
    bool changed = false;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = graphemeEnd(text, at);
      const std::string_view grapheme = text.substr(at, end - at);
      const bool whole = grapheme.size() <= kMaxGrapheme && replace(grapheme, edits);
      changed = (whole || addCharacters(grapheme, edits)) || changed;
      at = end;
    }
    if (changed) aligned.rewrite(edits);
  }

 private:
  /// True if one of the characters was replaced.
  bool addCharacters(std::string_view grapheme, std::vector<Edit>& edits) const {
    bool changed = false;
    for (std::size_t at = 0; at < grapheme.size();) {
      const Utf8Unit unit = utf8At(grapheme, at);
      if (replace(grapheme.substr(at, unit.length), edits)) {
        changed = true;
      } else {
        edits.push_back({unit.character, 0});
      }
      at += unit.length;
    }
    return changed;
  }

  /// As in the library: the shortest key that `old` begins with takes the place of all of it.
  bool replace(std::string_view old, std::vector<Edit>& edits) const {
    const Charsmap::Match match = m_map.shortest(old);
    if (match.length == 0) return false;
    const int added = characters(match.content) - characters(old);
    for (std::size_t at = 0; at < match.content.size();) {
      const Utf8Unit unit = utf8At(match.content, at);
      edits.push_back({unit.character, 0});
      at += unit.length;
    }
    for (int i = 0; i < added; ++i) edits[edits.size() - 1 - static_cast<std::size_t>(i)].change = 1;
    if (added < 0 && !edits.empty()) edits.back().change += added;
    return true;
  }

  Charsmap m_map;
};

}  // namespace

std::unique_ptr<const Normalizer> makePrecompiled(const Component& component) {
  const Component table = component.at("precompiled_charsmap");
  std::string bytes;
  if (!table.isNull() && !decodeBase64(table.text(), bytes)) {
    table.refuse("tokenizer.bad_value", "the table of replacements is not in base 64");
  }
  std::string problem;
  Charsmap map = Charsmap::read(bytes, problem);
  if (!problem.empty()) table.refuse("tokenizer.bad_value", problem);
  return std::make_unique<Precompiled>(std::move(map));
}

}  // namespace moescope::tokenizer
