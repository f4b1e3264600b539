#include "core/tokenizer/normalizer.h"

#include <utf8proc.h>

#include "core/tokenizer/pattern.h"
#include "core/tokenizer/precompiled.h"
#include "core/tokenizer/unicode_class.h"
#include "core/tokenizer/unicode_normal.h"
#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

using Made = std::unique_ptr<const Normalizer>;

class NormalizerSequence final : public Normalizer {
 public:
  explicit NormalizerSequence(std::vector<Made> steps) : m_steps(std::move(steps)) {}
  void apply(AlignedText& text) const override {
    for (const auto& step : m_steps) step->apply(text);
  }

 private:
  std::vector<Made> m_steps;
};

class UnicodeForm final : public Normalizer {
 public:
  explicit UnicodeForm(NormalForm form) : m_form(form) {}
  void apply(AlignedText& text) const override {
    const auto edits = normalize(text.text(), m_form);
    if (!edits.empty()) text.rewrite(edits);
  }

 private:
  NormalForm m_form;
};

class Lowercase final : public Normalizer {
 public:
  void apply(AlignedText& text) const override {
    const std::string_view old = text.text();
    std::vector<Edit> edits;
    edits.reserve(old.size());
    for (std::size_t at = 0; at < old.size();) {
      const Utf8Unit unit = utf8At(old, at);
      at += unit.length;
      if (unit.character == 0x130) {  // the one capital with two characters in lower case
        edits.insert(edits.end(), {{'i', 0}, {0x307, 1}});
        continue;
      }
      const auto lower = utf8proc_tolower(static_cast<utf8proc_int32_t>(unit.character));
      edits.push_back({static_cast<char32_t>(lower), 0});
    }
    text.rewrite(edits);
  }
};

class Prepend final : public Normalizer {
 public:
  explicit Prepend(std::string text) : m_text(std::move(text)) {}
  void apply(AlignedText& text) const override {
    const std::size_t size = text.text().size();
    if (size == 0) return;
    AlignedText::Builder builder(text);
    builder.add(m_text, text.origin(0, 1));
    builder.copy(0, size);
    text = builder.finish();
  }

 private:
  std::string m_text;
};

class Replace final : public Normalizer {
 public:
  Replace(Pattern pattern, std::string content)
      : m_pattern(std::move(pattern)), m_content(std::move(content)) {}
  void apply(AlignedText& text) const override {
    std::vector<PatternPart> parts;
    m_pattern.split(text.text(), parts);
    AlignedText::Builder builder(text);
    for (const PatternPart& part : parts) {
      if (!part.match) {
        builder.copy(part.begin, part.end);
        continue;
      }
      // As the library has it: what is put in belongs to the last character that goes.
      Origin origin;
      if (part.end > 0) {
        origin = text.origin(part.end - 1, part.end);
      } else if (!text.text().empty()) {
        origin = {text.origin(0, 1).begin, text.origin(0, 1).begin};
      }
      builder.add(m_content, origin);
    }
    text = builder.finish();
  }

 private:
  Pattern m_pattern;
  std::string m_content;
};

/// Takes whitespace off the ends.
class Strip final : public Normalizer {
 public:
  Strip(bool left, bool right) : m_left(left), m_right(right) {}
  void apply(AlignedText& aligned) const override {
    const std::string_view text = aligned.text();
    std::size_t begin = text.size();  // of the first character that is no space
    std::size_t end = 0;              // behind the last one
    for (std::size_t at = 0; at < text.size();) {
      const Utf8Unit unit = utf8At(text, at);
      at += unit.length;
      if (isWhitespace(unit.character)) continue;
      begin = std::min(begin, at - unit.length);
      end = at;
    }
    if (!m_left) begin = 0;
    if (!m_right) end = text.size();
    end = std::max(begin, end);
    if (begin > 0 || end < text.size()) aligned = aligned.slice(begin, end);
  }

 private:
  bool m_left;
  bool m_right;
};

template <NormalForm form>
Made makeForm(const Component&) {
  return std::make_unique<UnicodeForm>(form);
}

Made makeSequence(const Component& component) {
  const Component list = component.at("normalizers");
  std::vector<Made> steps;
  for (std::size_t i = 0; i < list.listSize(); ++i) steps.push_back(makeNormalizer(list.item(i)));
  return std::make_unique<NormalizerSequence>(std::move(steps));
}

Made makeLowercase(const Component&) { return std::make_unique<Lowercase>(); }

Made makePrepend(const Component& component) {
  return std::make_unique<Prepend>(component.at("prepend").text());
}

Made makeReplace(const Component& component) {
  return std::make_unique<Replace>(Pattern::read(component.at("pattern")), component.at("content").text());
}

Made makeStrip(const Component& component) {
  return std::make_unique<Strip>(component.flag("strip_left", true), component.flag("strip_right", true));
}

constexpr ComponentRow<Made> kRows[] = {
    {"Sequence", makeSequence},
    {"NFC", makeForm<NormalForm::Nfc>},
    {"NFD", makeForm<NormalForm::Nfd>},
    {"NFKC", makeForm<NormalForm::Nfkc>},
    {"NFKD", makeForm<NormalForm::Nfkd>},
    {"Lowercase", makeLowercase},
    {"Prepend", makePrepend},
    {"Replace", makeReplace},
    {"Strip", makeStrip},
    {"Precompiled", makePrecompiled},
};

}  // namespace

std::unique_ptr<const Normalizer> makeNormalizer(const Component& component) {
  if (component.isNull()) return std::make_unique<NormalizerSequence>(std::vector<Made>{});
  return makeFromRows<Made>(component, kRows, "normalizer");
}

}  // namespace moescope::tokenizer
