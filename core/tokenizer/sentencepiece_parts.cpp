#include "core/tokenizer/sentencepiece_parts.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>

#include <fmt/format.h>

#include "core/tokenizer/bpe.h"
#include "core/tokenizer/sentencepiece_file.h"
#include "core/tokenizer/sentencepiece_normalizer.h"
#include "core/tokenizer/symbol_pieces.h"
#include "core/tokenizer/unigram.h"
#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

using Type = SentencePieceFile::Type;
using Kind = SentencePieceFile::Kind;

class Assembler {
 public:
  Assembler(const SentencePieceFile& model, const std::string& file, TokenizerParts& parts)
      : m_model(model), m_file(file), m_parts(parts) {}

  void run(std::string_view configJson) {
    refuseWhatIsNotRead();
    addPieces();
    std::string problem;
    Charsmap map = Charsmap::read(m_model.charsmap, problem);
    if (!problem.empty()) refuse("tokenizer.bad_value", "precompiled_charsmap", problem);
    m_parts.normalizer = std::make_unique<SentencePieceNormalizer>(m_model, std::move(map), symbols());
    m_parts.preTokenizer = makeSymbolSplit(symbols());
    m_parts.model =
        makeSymbolModel(symbols(), m_model.kind == Kind::Bpe ? makeBpe(bpe()) : makeUnigram(unigram()));
    addTheRest(configJson);
  }

 private:
  [[noreturn]] void refuse(const char* kind, const std::string& where, const std::string& message) const {
    throw Refusal(
        {kind, m_file, where, message, "convert the tokenizer to tokenizer.json with transformers"});
  }

  void refuseWhatIsNotRead() const {
    if (m_model.kind == Kind::Word || m_model.kind == Kind::Character) {
      refuse("tokenizer.unsupported", "trainer_spec.model_type",
             "a SentencePiece model of words or characters is not supported");
    }
    if (m_model.spaceAsSuffix) {
      refuse("tokenizer.unsupported", "trainer_spec.treat_whitespace_as_suffix",
             "a SentencePiece model with spaces behind words is not supported");
    }
    const auto unused = [](const auto& piece) { return piece.type == Type::Unused; };
    if (m_model.kind == Kind::Bpe && std::any_of(m_model.pieces.begin(), m_model.pieces.end(), unused)) {
      refuse("tokenizer.unsupported", "pieces",
             "a SentencePiece BPE model with unused pieces is not supported");
    }
  }

  void addPieces() {
    for (std::size_t i = 0; i < m_model.pieces.size(); ++i) {
      const auto& piece = m_model.pieces[i];
      const auto id = static_cast<std::int32_t>(i);
      const std::string where = fmt::format("piece {}", i);
      if (piece.text.size() > kMaxUnigramPiece) {
        refuse("tokenizer.bad_value", where, fmt::format("a piece has at most {} bytes", kMaxUnigramPiece));
      }
      if (!m_parts.vocabulary.add(id, piece.text, true)) {
        refuse("tokenizer.duplicate_id", where, shownText(piece.text) + " stands in the vocabulary twice");
      }
      if (piece.type == Type::Control || piece.type == Type::Unknown) m_parts.vocabulary.setSpecial(id);
      if (piece.type == Type::Unknown) m_unknown = id;
    }
    if (m_unknown < 0) refuse("tokenizer.bad_vocabulary", "pieces", "the vocabulary has no unknown token");
  }

  [[nodiscard]] PrefixTrie trieOf(const std::function<bool(Type)>& has) const {
    std::vector<std::pair<std::string_view, std::int32_t>> entries;
    for (std::size_t i = 0; i < m_model.pieces.size(); ++i) {
      const auto id = static_cast<std::int32_t>(i);
      if (has(m_model.pieces[i].type)) entries.emplace_back(m_parts.vocabulary.piece(id), id);
    }
    return PrefixTrie(std::move(entries));
  }

  [[nodiscard]] PrefixTrie symbols() const {
    return trieOf([](Type type) { return type == Type::UserDefined; });
  }

  [[nodiscard]] bool isText(std::int32_t id) const {
    const Type type = m_model.pieces[static_cast<std::size_t>(id)].type;
    return type == Type::Normal || type == Type::UserDefined;
  }

  [[nodiscard]] BpeTables bpe() const {
    BpeTables tables;
    tables.vocabulary = &m_parts.vocabulary;
    tables.unknown = m_unknown;
    tables.fuseUnknown = true;
    tables.byteFallback = m_model.byteFallback;
    tables.byteIds = bytePieceIds(m_parts.vocabulary);
    tables.characters = CharacterMap(m_parts.vocabulary);
    std::vector<std::pair<std::int32_t, std::int32_t>> pairs;
    std::vector<MergeTable::Merge> merges;
    const auto ranks = ranksOfScores();
    for (std::int32_t id = 0; id < m_parts.vocabulary.size(); ++id) {
      if (isText(id)) addMerges(id, ranks[static_cast<std::size_t>(id)], pairs, merges);
    }
    tables.merges = MergeTable(pairs.size());
    for (std::size_t i = 0; i < pairs.size(); ++i)
      tables.merges.insert(pairs[i].first, pairs[i].second, merges[i]);
    findJoins(tables, pairs);
    return tables;
  }

  /// Every way to put a piece together from two others; all have the piece's own rank.
  void addMerges(std::int32_t id, std::uint32_t rank,
                 std::vector<std::pair<std::int32_t, std::int32_t>>& pairs,
                 std::vector<MergeTable::Merge>& merges) const {
    const std::string_view text = m_parts.vocabulary.piece(id);
    for (std::size_t at = utf8Length(text[0]); at < text.size(); at += utf8Length(text[at])) {
      const std::int32_t left = m_parts.vocabulary.idOf(text.substr(0, at));
      const std::int32_t right = m_parts.vocabulary.idOf(text.substr(at));
      if (left < 0 || right < 0 || !isText(left) || !isText(right)) continue;
      pairs.emplace_back(left, right);
      merges.push_back({rank, id});
    }
  }

  /// By id: 0 for the highest score, equal ones for equal scores.
  [[nodiscard]] std::vector<std::uint32_t> ranksOfScores() const {
    std::vector<float> scores;
    for (const auto& piece : m_model.pieces) scores.push_back(piece.score);
    std::sort(scores.begin(), scores.end(), std::greater<>());
    std::vector<std::uint32_t> ranks;
    for (const auto& piece : m_model.pieces) {
      const auto place = std::lower_bound(scores.begin(), scores.end(), piece.score, std::greater<>());
      ranks.push_back(static_cast<std::uint32_t>(place - scores.begin()));
    }
    return ranks;
  }

  [[nodiscard]] UnigramTables unigram() const {
    UnigramTables tables;
    float lowest = std::numeric_limits<float>::max();
    for (const auto& piece : m_model.pieces) {
      tables.scores.push_back(piece.score);
      if (piece.type == Type::Normal) lowest = std::min(lowest, piece.score);
    }
    tables.trie = trieOf([](Type type) { return type == Type::Normal || type == Type::UserDefined; });
    tables.byteIds = bytePieceIds(m_parts.vocabulary);
    tables.byteFallback = m_model.byteFallback;
    tables.unknown = m_unknown;
    tables.unknownScore = lowest - static_cast<float>(kUnknownPenalty);
    tables.singlePrecision = true;
    return tables;
  }

  /// Control symbols as added tokens, the decoder, and what stands around a text.
  void addTheRest(std::string_view configJson) {
    using nlohmann::json;
    json added = json::array();
    for (std::size_t i = 0; i < m_model.pieces.size(); ++i) {
      const Type type = m_model.pieces[i].type;
      if (type != Type::Control && type != Type::Unknown) continue;
      added.push_back(
          {{"id", i}, {"content", m_model.pieces[i].text}, {"special", true}, {"normalized", false}});
    }
    m_parts.addedTokens =
        AddedTokens(Component(added, m_file, "pieces"), *m_parts.normalizer, m_parts.vocabulary);
    json steps = {{{"type", "Replace"}, {"pattern", {{"String", "\xE2\x96\x81"}}}, {"content", " "}},
                  {{"type", "ByteFallback"}},
                  {{"type", "Fuse"}}};
    if (m_model.addDummyPrefix || m_model.removeExtraSpaces) {
      steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1U}, {"stop", 0U}});
    }
    const json decoder = {{"type", "Sequence"}, {"decoders", steps}};
    m_parts.decoder = makeDecoder(Component(decoder, m_file, "decoder"));
    const json none;
    m_parts.postProcessor = makePostProcessor(Component(none, m_file, "post_processor"), m_parts.vocabulary);
    const auto folder = std::filesystem::path(m_file).parent_path();
    // As the classes of transformers: Llama's BPE models begin with <s>, T5's Unigram models end with </s>.
    const bool isBpe = m_model.kind == Kind::Bpe;
    m_parts.special = readSpecialTokens(configJson, (folder / "tokenizer_config.json").string(),
                                        m_parts.vocabulary, {isBpe ? "<s>" : "", isBpe ? "" : "</s>"});
  }

  const SentencePieceFile& m_model;
  const std::string& m_file;
  TokenizerParts& m_parts;
  std::int32_t m_unknown = -1;
};

}  // namespace

void readSentencePieceParts(std::string_view model, std::string_view configJson, const std::string& file,
                            TokenizerParts& parts) {
  readSentencePieceParts(readSentencePieceFile(model, file), configJson, file, parts);
}

void readSentencePieceParts(const SentencePieceFile& model, std::string_view configJson,
                            const std::string& file, TokenizerParts& parts) {
  Assembler(model, file, parts).run(configJson);
}

}  // namespace moescope::tokenizer
