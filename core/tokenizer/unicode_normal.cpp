#include "core/tokenizer/unicode_normal.h"

#include <algorithm>
#include <array>
#include <optional>

#include <utf8proc.h>

#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

int combiningClass(char32_t character) {
  return character < 0x300 ? 0
                           : utf8proc_get_property(static_cast<utf8proc_int32_t>(character))->combining_class;
}

void decompose(char32_t character, bool compatible, std::vector<Edit>& edits) {
  constexpr int kLongest = 18;  // U+FDFA in the compatible forms
  std::array<utf8proc_int32_t, kLongest> parts{};
  int boundary = 0;
  const auto options =
      static_cast<utf8proc_option_t>(compatible ? UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT : UTF8PROC_DECOMPOSE);
  const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(character), parts.data(), kLongest,
                                             options, &boundary);
  if (count <= 0 || count > kLongest) {
    edits.push_back({character, 0});
    return;
  }
  for (int i = 0; i < count; ++i) {
    edits.push_back({static_cast<char32_t>(parts[static_cast<std::size_t>(i)]), i == 0 ? 0 : 1});
  }
}

/// Marks between two starters in the order of their classes.
void order(std::vector<Edit>& edits) {
  const auto isMark = [](const Edit& edit) { return combiningClass(edit.character) != 0; };
  for (auto first = edits.begin(); first != edits.end();) {
    first = std::find_if(first, edits.end(), isMark);
    const auto last = std::find_if_not(first, edits.end(), isMark);
    std::stable_sort(first, last, [](const Edit& a, const Edit& b) {
      return combiningClass(a.character) < combiningClass(b.character);
    });
    first = last;
  }
}

std::optional<char32_t> composed(char32_t first, char32_t second) {
  if (second < 0x300) return std::nullopt;
  std::array<utf8proc_int32_t, 3> pair{static_cast<utf8proc_int32_t>(first),
                                       static_cast<utf8proc_int32_t>(second), 0};
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
  if (utf8proc_normalize_utf32(pair.data(), 2, options) != 1) return std::nullopt;
  return static_cast<char32_t>(pair[0]);
}

void compose(std::vector<Edit>& edits) {
  std::size_t kept = 0;
  std::optional<std::size_t> starter;
  int lastClass = -1;  // of the mark kept last behind the starter, -1 if there is none
  for (const Edit edit : edits) {
    const int markClass = combiningClass(edit.character);
    if (starter && lastClass < markClass) {
      if (const auto whole = composed(edits[*starter].character, edit.character)) {
        edits[*starter] = {*whole, edits[*starter].change + edit.change - 1};
        continue;
      }
    }
    if (markClass == 0) {
      starter = kept;
      lastClass = -1;
    } else {
      lastClass = markClass;
    }
    edits[kept++] = edit;
  }
  edits.resize(kept);
}

bool changes(const std::vector<Edit>& edits, std::string_view text) {
  std::size_t at = 0;
  for (const Edit& edit : edits) {
    if (edit.change != 0 || at == text.size()) return true;
    const Utf8Unit unit = utf8At(text, at);
    if (unit.character != edit.character) return true;
    at += unit.length;
  }
  return at != text.size();
}

}  // namespace

std::vector<Edit> normalize(std::string_view text, NormalForm form) {
  // Everything below U+0300 (lead byte CC) is in form C, ASCII in all forms.
  const unsigned firstUnsure = form == NormalForm::Nfc ? 0xCC : 0x80;
  const bool sure = std::all_of(text.begin(), text.end(),
                                [=](char c) { return static_cast<unsigned char>(c) < firstUnsure; });
  if (sure) return {};
  const bool compatible = form == NormalForm::Nfkc || form == NormalForm::Nfkd;
  std::vector<Edit> edits;
  edits.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Unit unit = utf8At(text, at);
    decompose(unit.character, compatible, edits);
    at += unit.length;
  }
  order(edits);
  if (form == NormalForm::Nfc || form == NormalForm::Nfkc) compose(edits);
  if (!changes(edits, text)) edits.clear();
  return edits;
}

}  // namespace moescope::tokenizer
