#include "core/tokenizer/assembled_tokenizer.h"

#include <limits>

#include <fmt/format.h>
#include <xxhash.h>

#include "core/base/strict_json.h"
#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

constexpr std::size_t kLongPiece = 1u << 20;  // tokens

/// Counts code points before a byte; cheap for bytes close to those asked for last.
class CodePoints {
 public:
  explicit CodePoints(std::string_view text) : m_text(text) {}

  std::int64_t before(std::size_t byte) {
    for (; m_byte < byte; ++m_byte) m_count += isContinuation(m_text[m_byte]) ? 0 : 1;
    for (; m_byte > byte; --m_byte) m_count -= isContinuation(m_text[m_byte - 1]) ? 0 : 1;
    return m_count;
  }

 private:
  std::string_view m_text;
  std::size_t m_byte = 0;
  std::int64_t m_count = 0;
};

/// Bytes of the original text to code points.
void countCodePoints(std::string_view text, std::vector<EncodedToken>& tokens) {
  // Two, since many tokens may share a long part of the text.
  CodePoints begins(text);
  CodePoints ends(text);
  for (EncodedToken& token : tokens) {
    token.begin = begins.before(static_cast<std::size_t>(token.begin));
    token.end = ends.before(static_cast<std::size_t>(token.end));
  }
}

EncodedToken tokenAt(std::int32_t id, Origin origin) {
  return {id, static_cast<std::int64_t>(origin.begin), static_cast<std::int64_t>(origin.end)};
}

}  // namespace

std::string AssembledTokenizer::hashOf(std::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

Result<std::vector<EncodedToken>> AssembledTokenizer::encode(std::string_view text, bool addSpecial,
                                                             std::vector<std::string>* pieces,
                                                             std::stop_token stop) const {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    return fail("tokenizer.too_large", {}, {}, "a text has at most 2 GiB", "cut it into parts");
  }
  std::size_t badByte = 0;
  if (!isValidUtf8(text, &badByte)) {
    return fail("tokenizer.not_utf8", {}, fmt::format("byte {}", badByte), "the text is not UTF-8",
                "convert it to UTF-8");
  }
  try {
    Encoding encoding = encodeText(text, addSpecial, stop);
    if (pieces != nullptr) {
      pieces->clear();
      for (const EncodedToken& token : encoding.tokens) pieces->push_back(m_parts.vocabulary.piece(token.id));
      for (auto& shown : encoding.shown) (*pieces)[shown.token] = std::move(shown.text);
    }
    return std::move(encoding.tokens);
  } catch (const Refusal& refusal) {
    Error error = refusal.error();
    if (error.kind != "cancelled") error.file = m_file;
    return fail(std::move(error));
  }
}

Encoding AssembledTokenizer::encodeText(std::string_view text, bool addSpecial,
                                        const std::stop_token& stop) const {
  Encoding encoding;
  const auto encoder = m_parts.model->encoder(stop);
  throwIfStopped(stop);
  for (auto& segment : m_parts.addedTokens.split(text, *m_parts.normalizer)) {
    const std::string_view taken = segment.text.text();
    if (segment.id < 0) {
      encodeSegment(std::move(segment.text), *encoder, encoding, stop);
    } else {
      if (taken != m_parts.vocabulary.piece(segment.id)) {
        encoding.shown.push_back({encoding.tokens.size(), std::string(taken)});
      }
      encoding.tokens.push_back(tokenAt(segment.id, segment.text.origin(0, taken.size())));
    }
  }
  countCodePoints(text, encoding.tokens);
  m_parts.postProcessor->apply(encoding, m_parts.vocabulary, addSpecial);
  if (addSpecial) addConfigured(encoding);
  return encoding;
}

void AssembledTokenizer::encodeSegment(AlignedText text, PieceEncoder& encoder, Encoding& encoding,
                                       const std::stop_token& stop) const {
  const std::size_t size = text.text().size();
  if (size == 0) return;
  PreTokens tokens{std::move(text), {{0, size}}};
  throwIfStopped(stop);
  m_parts.preTokenizer->apply(tokens);
  const std::string_view whole = tokens.text.text();
  std::vector<ModelToken> found;
  for (const TextRange& piece : tokens.pieces) {
    throwIfStopped(stop);
    found.clear();
    encoder.encode(whole.substr(piece.begin, piece.end - piece.begin), found);
    // Growing by halves would take twice the memory of a very long piece.
    if (found.size() > kLongPiece) encoding.tokens.reserve(encoding.tokens.size() + found.size());
    for (const ModelToken& token : found) {
      if (token.asWritten) {
        const std::string_view written = whole.substr(piece.begin + token.begin, token.end - token.begin);
        encoding.shown.push_back({encoding.tokens.size(), std::string(written)});
      }
      const Origin origin = tokens.text.origin(piece.begin + token.begin, piece.begin + token.end);
      encoding.tokens.push_back(tokenAt(token.id, origin));
    }
  }
}

void AssembledTokenizer::addConfigured(Encoding& encoding) const {
  auto& tokens = encoding.tokens;
  if (m_parts.special.begin >= 0 && (tokens.empty() || tokens.front().id != m_parts.special.begin)) {
    tokens.insert(tokens.begin(), {m_parts.special.begin, 0, 0});
    for (auto& shown : encoding.shown) ++shown.token;
  }
  if (m_parts.special.end >= 0 && (tokens.empty() || tokens.back().id != m_parts.special.end)) {
    tokens.push_back({m_parts.special.end, 0, 0});
  }
}

std::string AssembledTokenizer::decode(const std::vector<std::int32_t>& ids, bool skipSpecial) const {
  std::vector<std::string> parts;
  parts.reserve(ids.size());
  for (const std::int32_t id : ids) {
    const std::string& text = m_parts.vocabulary.normalizedPiece(id);
    // As in the library: a special token that the normalizer changes is not known as one.
    const bool skipped = skipSpecial && isSpecial(id) && text == m_parts.vocabulary.piece(id);
    if (m_parts.vocabulary.contains(id) && !skipped) parts.push_back(text);
  }
  m_parts.decoder->apply(parts);
  std::string bytes;
  for (const auto& part : parts) bytes += part;
  return replaceInvalid(bytes);
}

std::string AssembledTokenizer::bytes(std::int32_t id) const {
  if (!m_parts.vocabulary.contains(id)) return {};
  Continuation part{m_parts.vocabulary.normalizedPiece(id)};
  m_parts.decoder->applyTo(part);
  return std::move(part.text);
}

}  // namespace moescope::tokenizer
