#include "core/tokenizer/sentencepiece_normalizer.h"

#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

SentencePieceNormalizer::SentencePieceNormalizer(const SentencePieceFile& file, Charsmap map,
                                                 PrefixTrie symbols)
    : m_map(std::move(map)),
      m_symbols(std::move(symbols)),
      m_addPrefix(file.addDummyPrefix),
      m_removeExtra(file.removeExtraSpaces),
      m_space(file.escapeSpaces ? "\xE2\x96\x81" : " ") {}

/// One text. Spaces are held back until something follows, so that those at the end can go.
class SentencePieceNormalizer::Run {
 public:
  Run(const SentencePieceNormalizer& owner, const AlignedText& text)
      : m_owner(owner), m_aligned(text), m_text(text.text()), m_builder(text) {}

  AlignedText finish() {
    bool afterSpace = m_owner.m_removeExtra;
    while (m_at < m_text.size()) {
      const std::size_t begin = m_at;
      const std::string_view part = next();
      const bool copied = part.data() == m_text.data() + begin;
      for (std::size_t at = 0; at < part.size();) {
        const std::size_t length = utf8Length(part[at]);
        const bool space = part[at] == ' ';
        const Origin origin =
            copied ? m_aligned.origin(begin + at, begin + at + length) : m_aligned.origin(begin, begin + 1);
        if (!space || !afterSpace) add(part.substr(at, length), space, origin);
        afterSpace = space && (afterSpace || m_owner.m_removeExtra);
        at += length;
      }
    }
    if (!m_owner.m_removeExtra) putSpaces();
    return m_builder.finish();
  }

 private:
  /// What the text gives at m_at, which moves on: a symbol, a replacement, or the character.
  std::string_view next() {
    const std::string_view rest = m_text.substr(m_at);
    std::size_t length = 0;
    m_owner.m_symbols.prefixes(rest, [&](std::size_t found, std::int32_t) { length = found; });
    if (length == 0) {
      if (const Charsmap::Match match = m_owner.m_map.longest(rest); match.length > 0) {
        m_at += match.length;
        return match.content;
      }
      length = utf8Length(rest.front());
    }
    m_at += length;
    return rest.substr(0, length);
  }

  void add(std::string_view character, bool space, Origin origin) {
    if (!m_started && m_owner.m_addPrefix) m_builder.add(m_owner.m_space, origin);
    m_started = true;
    if (space) {
      m_held.push_back(origin);
      return;
    }
    putSpaces();
    m_builder.add(character, origin);
  }

  void putSpaces() {
    for (const Origin& origin : m_held) m_builder.add(m_owner.m_space, origin);
    m_held.clear();
  }

  const SentencePieceNormalizer& m_owner;
  const AlignedText& m_aligned;
  std::string_view m_text;
  AlignedText::Builder m_builder;
  std::vector<Origin> m_held;  // spaces
  std::size_t m_at = 0;
  bool m_started = false;
};

void SentencePieceNormalizer::apply(AlignedText& text) const { text = Run(*this, text).finish(); }

}  // namespace moescope::tokenizer
