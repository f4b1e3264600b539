#include "core/tokenizer/metaspace.h"

#include "core/tokenizer/split_behavior.h"
#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

/// Which pieces get the character in front.
enum class Prepend { Always, First, Never };

struct Options {
  std::string replacement;
  Prepend prepend = Prepend::Always;
  bool split = true;
};

Prepend readPrepend(const Component& component) {
  const Component scheme = component.at("prepend_scheme");
  // Old files have a flag instead.
  const bool never = !component.flag("add_prefix_space", true);
  if (scheme.isNull()) return never ? Prepend::Never : Prepend::Always;
  if (scheme.text() == "never") return Prepend::Never;
  if (never) scheme.refuse("tokenizer.bad_value", "prepend_scheme and add_prefix_space do not agree");
  if (scheme.text() == "always") return Prepend::Always;
  if (scheme.text() == "first") return Prepend::First;
  scheme.refuse("tokenizer.bad_value", "there is no prepend_scheme " + shownText(scheme.text()));
}

Options readOptions(const Component& component) {
  Options options;
  const Component replacement = component.at("replacement");
  options.replacement = replacement.text();
  const bool one =
      !options.replacement.empty() && utf8At(options.replacement, 0).length == options.replacement.size();
  if (!one) replacement.refuse("tokenizer.bad_value", "the replacement is one character");
  options.prepend = readPrepend(component);
  options.split = component.flag("split", true);
  return options;
}

class Metaspace final : public PreTokenizer {
 public:
  explicit Metaspace(Options options) : m_options(std::move(options)) {}

  void apply(PreTokens& tokens) const override {
    const std::string_view text = tokens.text.text();
    AlignedText::Builder builder(tokens.text);
    std::vector<TextRange> pieces;
    for (const TextRange& piece : tokens.pieces) {
      const std::size_t begin = builder.size();
      if (prepends(tokens, piece)) {
        builder.add(m_options.replacement, tokens.text.origin(piece.begin, piece.begin + 1));
      }
      for (std::size_t at = piece.begin; at < piece.end;) {
        const std::size_t space = std::min(text.find(' ', at), piece.end);
        builder.copy(at, space);
        if (space < piece.end) builder.add(m_options.replacement, tokens.text.origin(space, space + 1));
        at = space + 1;
      }
      pieces.push_back({begin, builder.size()});
    }
    tokens = {builder.finish(), std::move(pieces)};
    if (m_options.split) split(tokens);
  }

 private:
  [[nodiscard]] bool prepends(const PreTokens& tokens, const TextRange& piece) const {
    if (m_options.prepend == Prepend::Never) return false;
    const std::string_view text = tokens.text.text().substr(piece.begin, piece.end - piece.begin);
    if (text.front() == ' ' || text.starts_with(m_options.replacement)) return false;
    return m_options.prepend == Prepend::Always ||
           tokens.text.origin(piece.begin, piece.begin + 1).begin == 0;
  }

  void split(PreTokens& tokens) const {
    const std::string_view text = tokens.text.text();
    std::vector<TextRange> pieces;
    for (const TextRange& piece : tokens.pieces) {
      const std::string_view whole = text.substr(0, piece.end);
      for (std::size_t at = piece.begin; at < piece.end;) {
        const bool marked = whole.substr(at).starts_with(m_options.replacement);
        const std::size_t from = at + (marked ? m_options.replacement.size() : 0);
        const std::size_t end = std::min(whole.find(m_options.replacement, from), piece.end);
        pieces.push_back({at, end});
        at = end;
      }
    }
    tokens.pieces = std::move(pieces);
  }

  Options m_options;
};

class MetaspaceDecoder final : public Decoder {
 public:
  explicit MetaspaceDecoder(Options options) : m_options(std::move(options)) {}

  void apply(std::vector<std::string>& parts) const override {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      parts[i] = spaced(parts[i], i == 0 && m_options.prepend != Prepend::Never);
    }
  }
  void applyTo(Continuation& part) const override { part.text = spaced(part.text, false); }

 private:
  [[nodiscard]] std::string spaced(const std::string& part, bool first) const {
    std::string text;
    std::size_t done = 0;
    for (auto at = part.find(m_options.replacement); at != std::string::npos;
         at = part.find(m_options.replacement, done)) {
      text.append(part, done, at - done);
      if (!first) text += ' ';
      done = at + m_options.replacement.size();
    }
    return text.append(part, done);
  }

  Options m_options;
};

}  // namespace

std::unique_ptr<const PreTokenizer> makeMetaspace(const Component& component) {
  return std::make_unique<Metaspace>(readOptions(component));
}

std::unique_ptr<const Decoder> makeMetaspaceDecoder(const Component& component) {
  return std::make_unique<MetaspaceDecoder>(readOptions(component));
}

}  // namespace moescope::tokenizer
