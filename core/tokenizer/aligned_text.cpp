#include "core/tokenizer/aligned_text.h"

#include "core/tokenizer/component.h"
#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

// What rewriting may make of a text: so many bytes more, beyond so many times its own.
constexpr std::size_t kMaxGrowth = 1u << 20;
constexpr std::size_t kMaxTimes = 16;

}  // namespace

Origin AlignedText::byteOrigin(std::size_t at) const {
  if (m_changed) return m_origins[at];
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

void AlignedText::Builder::copy(std::size_t begin, std::size_t end) {
  m_text += m_source.text().substr(begin, end - begin);
  for (std::size_t at = begin; at < end; ++at) m_origins.push_back(m_source.byteOrigin(at));
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
  m_origins.insert(m_origins.end(), text.size(), origin);
}

void AlignedText::Builder::addCharacter(char32_t character, Origin origin) {
  appendUtf8(m_text, character);
  m_origins.resize(m_text.size(), origin);
}

AlignedText AlignedText::Builder::finish() {
  AlignedText result(m_source.m_original, m_source.m_begin, m_source.m_end);
  result.m_changed = true;
  result.m_text = std::move(m_text);
  result.m_origins = std::move(m_origins);
  return result;
}

}  // namespace moescope::tokenizer
