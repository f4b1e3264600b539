#include "core/tokenizer/pre_tokenizer.h"

#include "core/tokenizer/metaspace.h"
#include "core/tokenizer/pattern.h"
#include "core/tokenizer/split_behavior.h"
#include "core/tokenizer/unicode_class.h"
#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

using Made = std::unique_ptr<const PreTokenizer>;

constexpr const char* kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

constexpr const char* kWordPattern =
    R"([\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200C}\x{200D}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200C}\x{200D}\s]+)";

/// Cuts every piece by what `split(text of the piece, parts)` finds.
template <class Split>
void cut(PreTokens& tokens, SplitBehavior behavior, const Split& split) {
  const std::string_view text = tokens.text.text();
  std::vector<TextRange> pieces;
  std::vector<PatternPart> parts;
  for (const TextRange& piece : tokens.pieces) {
    parts.clear();
    split(text.substr(piece.begin, piece.end - piece.begin), parts);
    appendPieces(parts, behavior, piece.begin, pieces);
  }
  tokens.pieces = std::move(pieces);
}

class PreTokenizerSequence final : public PreTokenizer {
 public:
  explicit PreTokenizerSequence(std::vector<Made> steps) : m_steps(std::move(steps)) {}
  void apply(PreTokens& tokens) const override {
    for (const auto& step : m_steps) step->apply(tokens);
  }
  [[nodiscard]] bool byteLevel() const override { return !m_steps.empty() && m_steps.back()->byteLevel(); }

 private:
  std::vector<Made> m_steps;
};

class PatternSplit final : public PreTokenizer {
 public:
  PatternSplit(Pattern pattern, SplitBehavior behavior, bool invert)
      : m_pattern(std::move(pattern)), m_behavior(behavior), m_invert(invert) {}
  void apply(PreTokens& tokens) const override {
    cut(tokens, m_behavior, [this](std::string_view text, std::vector<PatternPart>& parts) {
      m_pattern.split(text, parts);
      if (!m_invert) return;
      for (PatternPart& part : parts) part.match = !part.match;
    });
  }

 private:
  Pattern m_pattern;
  SplitBehavior m_behavior;
  bool m_invert;
};

/// Cuts at the characters of a class, each of them a match of its own.
class ClassSplit final : public PreTokenizer {
 public:
  ClassSplit(bool (*inClass)(char32_t), SplitBehavior behavior) : m_inClass(inClass), m_behavior(behavior) {}
  void apply(PreTokens& tokens) const override {
    cut(tokens, m_behavior, [this](std::string_view text, std::vector<PatternPart>& parts) {
      std::size_t done = 0;
      for (std::size_t at = 0; at < text.size();) {
        const Utf8Unit unit = utf8At(text, at);
        const std::size_t next = at + unit.length;
        if (m_inClass(unit.character)) {
          if (done < at) parts.push_back({done, at, false});
          parts.push_back({at, next, true});
          done = next;
        }
        at = next;
      }
      if (done < text.size()) parts.push_back({done, text.size(), false});
    });
  }

 private:
  bool (*m_inClass)(char32_t);
  SplitBehavior m_behavior;
};

/// The bytes themselves are left as they are: the model reads a byte-level piece byte by byte.
class ByteLevel final : public PreTokenizer {
 public:
  ByteLevel(bool addPrefixSpace, bool useRegex) : m_addPrefixSpace(addPrefixSpace) {
    if (useRegex) {
      m_words =
          std::make_unique<PatternSplit>(Pattern::builtIn(kGpt2Pattern), SplitBehavior::Isolated, false);
    }
  }
  void apply(PreTokens& tokens) const override {
    if (m_addPrefixSpace) addPrefixSpaces(tokens);
    if (m_words != nullptr) m_words->apply(tokens);
  }
  [[nodiscard]] bool byteLevel() const override { return true; }

 private:
  static void addPrefixSpaces(PreTokens& tokens) {
    const std::string_view text = tokens.text.text();
    AlignedText::Builder builder(tokens.text);
    std::vector<TextRange> pieces;
    for (const TextRange& piece : tokens.pieces) {
      const std::size_t begin = builder.size();
      if (text[piece.begin] != ' ') builder.add(" ", tokens.text.origin(piece.begin, piece.begin + 1));
      builder.copy(piece.begin, piece.end);
      pieces.push_back({begin, builder.size()});
    }
    tokens = {builder.finish(), std::move(pieces)};
  }

  bool m_addPrefixSpace;
  Made m_words;
};

Made makeSequence(const Component& component) {
  const Component list = component.at("pretokenizers");
  std::vector<Made> steps;
  for (std::size_t i = 0; i < list.listSize(); ++i) {
    if (!steps.empty() && steps.back()->byteLevel())
      list.item(i).unsupported("a pre-tokenizer behind ByteLevel");
    steps.push_back(makePreTokenizer(list.item(i)));
  }
  return std::make_unique<PreTokenizerSequence>(std::move(steps));
}

Made makeSplit(const Component& component) {
  return std::make_unique<PatternSplit>(Pattern::read(component.at("pattern")),
                                        readBehavior(component, SplitBehavior::Isolated),
                                        component.flag("invert", false));
}

// trim_offsets concerns the post-processor only.
Made makeByteLevel(const Component& component) {
  return std::make_unique<ByteLevel>(component.flag("add_prefix_space", true),
                                     component.flag("use_regex", true));
}

Made makeDigits(const Component& component) {
  const bool individual = component.flag("individual_digits", false);
  return std::make_unique<ClassSplit>(isNumeric,
                                      individual ? SplitBehavior::Isolated : SplitBehavior::Contiguous);
}

Made makePunctuation(const Component& component) {
  return std::make_unique<ClassSplit>(isPunctuation, readBehavior(component, SplitBehavior::Isolated));
}

// This one is no Ruby pattern in the library: joiners are word characters.
Made makeWhitespace(const Component&) {
  return std::make_unique<PatternSplit>(Pattern::builtIn(kWordPattern), SplitBehavior::Removed, true);
}

Made makeWhitespaceSplit(const Component&) {
  return std::make_unique<ClassSplit>(isWhitespace, SplitBehavior::Removed);
}

Made makeBert(const Component&) {
  std::vector<Made> steps;
  steps.push_back(std::make_unique<ClassSplit>(isWhitespace, SplitBehavior::Removed));
  steps.push_back(std::make_unique<ClassSplit>(isPunctuation, SplitBehavior::Isolated));
  return std::make_unique<PreTokenizerSequence>(std::move(steps));
}

constexpr ComponentRow<Made> kRows[] = {
    {"Sequence", makeSequence},     {"Split", makeSplit},
    {"ByteLevel", makeByteLevel},   {"Digits", makeDigits},
    {"Metaspace", makeMetaspace},   {"Punctuation", makePunctuation},
    {"Whitespace", makeWhitespace}, {"WhitespaceSplit", makeWhitespaceSplit},
    {"BertPreTokenizer", makeBert},
};

}  // namespace

std::unique_ptr<const PreTokenizer> makePreTokenizer(const Component& component) {
  if (component.isNull()) return std::make_unique<PreTokenizerSequence>(std::vector<Made>{});
  return makeFromRows<Made>(component, kRows, "pre-tokenizer");
}

}  // namespace moescope::tokenizer
