#include "core/tokenizer/added_tokens.h"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

#include "core/tokenizer/unicode_class.h"
#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

// Bounds the search at one place of a text; published tokens have some ten bytes.
constexpr std::size_t kMaxContent = 1024;
// Bytes that added tokens may take from a text, beyond taking all of it so many times.
constexpr std::size_t kMaxTaken = 1u << 20;
constexpr std::size_t kMaxTimesTaken = 16;

/// Start of the character that ends before `at` > 0.
std::size_t characterBefore(std::string_view text, std::size_t at) {
  do --at;
  while (isContinuation(text[at]));
  return at;
}

bool touchesWord(std::string_view text, std::size_t begin, std::size_t end) {
  const bool before = begin > 0 && isWord(utf8At(text, characterBefore(text, begin)).character);
  return before || (end < text.size() && isWord(utf8At(text, end).character));
}

/// Start of the whitespace before `at`, but not before `floor`.
std::size_t spaceBefore(std::string_view text, std::size_t at, std::size_t floor) {
  while (at > floor) {
    const std::size_t previous = characterBefore(text, at);
    if (!isWhitespace(utf8At(text, previous).character)) break;
    at = previous;
  }
  return std::max(at, floor);
}

std::size_t spaceBehind(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const Utf8Unit unit = utf8At(text, at);
    if (!isWhitespace(unit.character)) break;
    at += unit.length;
  }
  return at;
}

}  // namespace

AddedTokens::AddedTokens(const Component& component, const Normalizer& normalizer, Vocabulary& vocabulary) {
  if (component.isNull()) return;
  const std::size_t count = component.listSize();
  const std::int64_t largest = Vocabulary::largestId(count + static_cast<std::size_t>(vocabulary.size()));
  std::unordered_set<std::int32_t> seen;
  for (std::size_t i = 0; i < count; ++i) {
    const Component token = component.item(i);
    if (!enter(token, largest, vocabulary)) continue;
    if (!seen.insert(token.at("id").id()).second) {
      token.refuse("tokenizer.duplicate_id", "the token stands in the list twice");
    }
    read(token, normalizer, vocabulary);
  }
}

bool AddedTokens::enter(const Component& component, std::int64_t largest, Vocabulary& vocabulary) {
  const std::int32_t id = component.at("id").id();
  const std::string& content = component.at("content").text();
  if (content.empty()) return false;  // as the library does
  if (content.size() > kMaxContent) {
    component.at("content").refuse("tokenizer.bad_value",
                                   fmt::format("an added token has at most {} bytes", kMaxContent));
  }
  if (id > largest) component.at("id").refuse("tokenizer.bad_id", fmt::format("id {} is out of range", id));
  if (vocabulary.idOf(content) != id && !vocabulary.add(id, content, false)) {
    const std::int32_t other = vocabulary.idOf(content);
    component.refuse("tokenizer.duplicate_id",
                     other >= 0
                         ? fmt::format("{} has the ids {} and {}", shownText(content), other, id)
                         : fmt::format("id {} also stands for {}", id, shownText(vocabulary.piece(id))));
  }
  if (component.flag("special", false)) vocabulary.setSpecial(id);
  return true;
}

void AddedTokens::read(const Component& component, const Normalizer& normalizer, Vocabulary& vocabulary) {
  const std::string& content = component.at("content").text();
  const auto index = static_cast<std::int32_t>(m_tokens.size());
  m_tokens.push_back({component.at("id").id(), component.flag("single_word", false),
                      component.flag("lstrip", false), component.flag("rstrip", false)});
  if (!component.flag("normalized", !component.flag("special", false))) {
    m_raw.add(content, index);
    return;
  }
  AlignedText text(content, 0, content.size());
  normalizer.apply(text);
  if (text.text() != content) vocabulary.setNormalized(m_tokens.back().id, text.text());
  m_normalized.add(text.text(), index);
}

std::vector<AddedTokens::Segment> AddedTokens::split(std::string_view text,
                                                     const Normalizer& normalizer) const {
  std::vector<Segment> raw;
  extract(AlignedText(text, 0, text.size()), m_raw, raw);
  std::vector<Segment> segments;
  for (Segment& segment : raw) {
    if (segment.id >= 0) {
      segments.push_back(std::move(segment));
    } else {
      normalizer.apply(segment.text);
      extract(std::move(segment.text), m_normalized, segments);
    }
  }
  return segments;
}

void AddedTokens::extract(AlignedText source, const TokenTrie& trie, std::vector<Segment>& segments) const {
  const std::string_view text = source.text();
  if (text.empty()) return;
  if (trie.empty()) {
    segments.push_back({std::move(source)});
    return;
  }
  std::size_t done = 0;
  std::size_t taken = 0;
  for (auto match = trie.find(text, 0); match.value >= 0; match = trie.find(text, match.end)) {
    const Token& token = m_tokens[static_cast<std::size_t>(match.value)];
    if (token.singleWord && touchesWord(text, match.begin, match.end)) continue;
    // As the library does, a token may start within the whitespace that the one before it took.
    const std::size_t begin = token.stripLeft ? spaceBefore(text, match.begin, done) : match.begin;
    const std::size_t end = token.stripRight ? spaceBehind(text, match.end) : match.end;
    if (begin >= end) continue;
    taken += end - begin;
    if (taken > kMaxTaken + kMaxTimesTaken * text.size()) {
      throw Refusal({"tokenizer.added_tokens",
                     {},
                     {},
                     "added tokens take the same whitespace again and again",
                     "use another tokenizer"});
    }
    if (done < begin) segments.push_back({source.slice(done, begin)});
    segments.push_back({source.slice(begin, end), token.id});
    done = end;
  }
  if (done == 0) {
    segments.push_back({std::move(source)});
  } else if (done < text.size()) {
    segments.push_back({source.slice(done, text.size())});
  }
}

}  // namespace moescope::tokenizer
