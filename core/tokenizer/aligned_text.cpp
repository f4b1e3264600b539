#include "core/tokenizer/aligned_text.h"

#include <algorithm>

#include "core/tokenizer/component.h"
#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

// What rewriting may make of a text: so many bytes more, beyond so many times its own.
constexpr std::size_t kMaxGrowth = 1u << 20;
constexpr std::size_t kMaxTimes = 16;

}  // namespace

Origin CharacterPlace::in(std::string_view original) const {
  const std::size_t begin = m_packed & ~kEmpty;
  return {begin, (m_packed & kEmpty) != 0 ? begin : begin + utf8Length(original[begin])};
}

Origin AlignedText::byteOrigin(std::size_t at) const {
  if (m_changed) return m_origins[at].in(m_original);
  std::size_t begin = m_begin + at;
  while (isContinuation(m_original[begin])) --begin;
  return {begin, begin + utf8Length(m_original[begin])};
}

Origin AlignedText::origin(std::size_t begin, std::size_t end) const {
  return {byteOrigin(begin).begin, byteOrigin(end - 1).end};
}

AlignedText AlignedText::slice(std::size_t begin, std::size_t end) const {
  if (!m_changed) return {m_original, m_begin + begin, m_begin + end};
  Builder builder(*this);
  builder.copy(begin, end);
  return builder.finish();
}

void AlignedText::rewrite(const std::vector<Edit>& edits) {
  const std::string_view old = text();
  Builder builder(*this);
  std::size_t at = 0;
  for (const Edit& edit : edits) {
    if (edit.change > 0) {
      const std::size_t start = old.empty() ? m_begin : byteOrigin(0).begin;
      builder.addCharacter(edit.character, at == 0 ? Origin{start, start} : byteOrigin(at - 1));
      continue;
    }
    builder.addCharacter(edit.character, byteOrigin(at));
    for (int taken = 0; taken <= -edit.change && at < old.size(); ++taken) at += utf8Length(old[at]);
  }
  *this = builder.finish();
}

AlignedText::Builder::Builder(const AlignedText& source) : m_source(source) {
  // A text mostly keeps its size; a long one must not be moved about while it grows.
  const std::size_t size = source.text().size();
  m_text.reserve(size + size / 2);
  m_origins.reserve(size + size / 2);
}

void AlignedText::Builder::copy(std::size_t begin, std::size_t end) {
  m_text += m_source.text().substr(begin, end - begin);
  if (m_source.m_changed) {
    const auto first = m_source.m_origins.begin();
    m_origins.insert(m_origins.end(), first + static_cast<std::ptrdiff_t>(begin),
                     first + static_cast<std::ptrdiff_t>(end));
    return;
  }
  for (std::size_t at = begin; at < end;) {
    const Origin origin = m_source.byteOrigin(at);
    const std::size_t next = std::min(end, origin.end - m_source.m_begin);
    m_origins.insert(m_origins.end(), next - at, CharacterPlace(origin));
    at = next;
  }
}

void AlignedText::Builder::add(std::string_view text, Origin origin) {
  const std::size_t original = m_source.m_end - m_source.m_begin;
  if (m_text.size() + text.size() > kMaxGrowth + kMaxTimes * original) {
    throw Refusal({"tokenizer.too_large",
                   {},
                   {},
                   "the normalizer makes this text many times longer",
                   "use another tokenizer"});
  }
  m_text += text;
  m_origins.insert(m_origins.end(), text.size(), CharacterPlace(origin));
}

void AlignedText::Builder::addCharacter(char32_t character, Origin origin) {
  appendUtf8(m_text, character);
  m_origins.resize(m_text.size(), CharacterPlace(origin));
}

AlignedText AlignedText::Builder::finish() {
  AlignedText result(m_source.m_original, m_source.m_begin, m_source.m_end);
  result.m_changed = true;
  result.m_text = std::move(m_text);
  result.m_origins = std::move(m_origins);
  return result;
}

}  // namespace moescope::tokenizer
