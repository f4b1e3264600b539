#include "core/tokenizer/json_tokenizer.h"

#include <limits>

#include <fmt/format.h>
#include <xxhash.h>

#include "core/base/strict_json.h"
#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

std::string hashOf(std::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

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
  CodePoints points(text);
  for (EncodedToken& token : tokens) {
    token.begin = points.before(static_cast<std::size_t>(token.begin));
    token.end = points.before(static_cast<std::size_t>(token.end));
  }
}

EncodedToken tokenAt(std::int32_t id, Origin origin) {
  return {id, static_cast<std::int64_t>(origin.begin), static_cast<std::int64_t>(origin.end)};
}

}  // namespace

JsonTokenizer::JsonTokenizer(std::string_view tokenizerJson, std::string_view configJson,
                             const std::string& file)
    : m_file(file), m_hash(hashOf(tokenizerJson)) {
  const nlohmann::json document = parseDocument(tokenizerJson, file);
  const Component root(document, m_file, "");
  if (const Component version = root.at("version"); !version.isNull() && version.text() != "1.0") {
    version.unsupported("version " + shownText(version.text()) + " of tokenizer.json");
  }
  m_normalizer = makeNormalizer(root.at("normalizer"));
  m_preTokenizer = makePreTokenizer(root.at("pre_tokenizer"));
  m_decoder = makeDecoder(root.at("decoder"));
  m_model = makeModel(root.at("model"), m_preTokenizer->byteLevel(), m_vocabulary);
  m_addedTokens = AddedTokens(root.at("added_tokens"), *m_normalizer, m_vocabulary);
  m_postProcessor = makePostProcessor(root.at("post_processor"), m_vocabulary);
  const auto folder = std::filesystem::path(file).parent_path();
  m_special = readSpecialTokens(configJson, (folder / "tokenizer_config.json").string(), m_vocabulary);
}

Result<std::vector<EncodedToken>> JsonTokenizer::encode(std::string_view text, bool addSpecial,
                                                        std::vector<std::string>* pieces) const {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    return fail("tokenizer.too_large", {}, {}, "a text has at most 2 GiB", "cut it into parts");
  }
  std::size_t badByte = 0;
  if (!isValidUtf8(text, &badByte)) {
    return fail("tokenizer.not_utf8", {}, fmt::format("byte {}", badByte), "the text is not UTF-8",
                "convert it to UTF-8");
  }
  try {
    Encoding encoding = encodeText(text, addSpecial);
    if (pieces != nullptr) {
      pieces->clear();
      for (const EncodedToken& token : encoding.tokens) pieces->push_back(m_vocabulary.piece(token.id));
      for (auto& shown : encoding.shown) (*pieces)[shown.token] = std::move(shown.text);
    }
    return std::move(encoding.tokens);
  } catch (const Refusal& refusal) {
    Error error = refusal.error();
    error.file = m_file;
    return fail(std::move(error));
  }
}

Encoding JsonTokenizer::encodeText(std::string_view text, bool addSpecial) const {
  Encoding encoding;
  const auto encoder = m_model->encoder();
  for (auto& segment : m_addedTokens.split(text, *m_normalizer)) {
    const std::string_view taken = segment.text.text();
    if (segment.id < 0) {
      encodeSegment(std::move(segment.text), *encoder, encoding);
    } else {
      if (taken != m_vocabulary.piece(segment.id)) {
        encoding.shown.push_back({encoding.tokens.size(), std::string(taken)});
      }
      encoding.tokens.push_back(tokenAt(segment.id, segment.text.origin(0, taken.size())));
    }
  }
  countCodePoints(text, encoding.tokens);
  m_postProcessor->apply(encoding, m_vocabulary, addSpecial);
  if (addSpecial) addConfigured(encoding);
  return encoding;
}

void JsonTokenizer::encodeSegment(AlignedText text, PieceEncoder& encoder, Encoding& encoding) const {
  const std::size_t size = text.text().size();
  if (size == 0) return;
  PreTokens tokens{std::move(text), {{0, size}}};
  m_preTokenizer->apply(tokens);
  const std::string_view whole = tokens.text.text();
  std::vector<ModelToken> found;
  for (const TextRange& piece : tokens.pieces) {
    found.clear();
    encoder.encode(whole.substr(piece.begin, piece.end - piece.begin), found);
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

void JsonTokenizer::addConfigured(Encoding& encoding) const {
  auto& tokens = encoding.tokens;
  if (m_special.begin >= 0 && (tokens.empty() || tokens.front().id != m_special.begin)) {
    tokens.insert(tokens.begin(), {m_special.begin, 0, 0});
    for (auto& shown : encoding.shown) ++shown.token;
  }
  if (m_special.end >= 0 && (tokens.empty() || tokens.back().id != m_special.end)) {
    tokens.push_back({m_special.end, 0, 0});
  }
}

std::string JsonTokenizer::decode(const std::vector<std::int32_t>& ids, bool skipSpecial) const {
  std::vector<std::string> parts;
  parts.reserve(ids.size());
  for (const std::int32_t id : ids) {
    const std::string& text = m_vocabulary.normalizedPiece(id);
    // As in the library: a special token that the normalizer changes is not known as one.
    const bool skipped = skipSpecial && isSpecial(id) && text == m_vocabulary.piece(id);
    if (m_vocabulary.contains(id) && !skipped) parts.push_back(text);
  }
  m_decoder->apply(parts);
  std::string bytes;
  for (const auto& part : parts) bytes += part;
  return replaceInvalid(bytes);
}

std::string JsonTokenizer::bytes(std::int32_t id) const {
  if (!m_vocabulary.contains(id)) return {};
  Continuation part{m_vocabulary.normalizedPiece(id)};
  m_decoder->applyTo(part);
  return std::move(part.text);
}

}  // namespace moescope::tokenizer
