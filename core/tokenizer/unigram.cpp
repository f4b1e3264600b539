#include "core/tokenizer/unigram.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/tokenizer/piece_cache.h"
#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

/// The best way to a place in the piece.
struct Step {
  double score = 0;
  std::uint32_t begin = 0;
  std::int32_t id = -1;  // -1: not reached
};

constexpr std::uint32_t kPlacesBetweenStops = 1u << 16;

class UnigramEncoder final : public PieceEncoder {
 public:
  UnigramEncoder(const UnigramTables& tables, std::stop_token stop)
      : m_tables(tables), m_stop(std::move(stop)) {}

  void encode(std::string_view piece, std::vector<ModelToken>& tokens) override {
    if (m_cache.append(piece, 0, tokens)) return;
    const std::size_t first = tokens.size();
    findBest(piece, tokens);
    m_cache.remember(piece, 0, tokens, first);
  }

 private:
  void reach(std::size_t end, std::size_t begin, std::int32_t id, double score) {
    if (end >= m_steps.size()) m_steps.resize(end + 1);
    if (m_tables.singlePrecision) score = static_cast<float>(score);
    Step& step = m_steps[end];
    if (step.id >= 0 && score <= step.score) return;
    step = {score, static_cast<std::uint32_t>(begin), id};
  }

  /// Goes through the piece in stretches: where no token reaches beyond a place, the way to it is settled.
  /// The score goes on, so that rounding is as without stretches.
  void findBest(std::string_view piece, std::vector<ModelToken>& tokens) {
    std::size_t start = 0;  // of the stretch
    m_steps.assign(1, {});
    for (std::size_t at = 0; start + at < piece.size();) {
      const bool settled = at > 0 && at + 1 == m_steps.size() && m_steps[at].id != m_tables.unknown;
      if (settled) {
        collect(piece.substr(start, at), start, tokens);
        m_steps.assign(1, {m_steps[at].score, 0, -1});
        start += at;
        at = 0;
      }
      at += findAt(piece.substr(start), at);
      if (++m_places % kPlacesBetweenStops == 0) throwIfStopped(m_stop);
    }
    collect(piece.substr(start), start, tokens);
  }

  /// Reaches everything from `at`; gives the length of the character there.
  std::size_t findAt(std::string_view stretch, std::size_t at) {
    const std::size_t character = utf8Length(stretch[at]);
    const double before = m_steps[at].score;
    bool single = false;
    m_tables.trie.prefixes(stretch.substr(at), [&](std::size_t length, std::int32_t id) {
      reach(at + length, at, id, m_tables.scores[static_cast<std::size_t>(id)] + before);
      single = single || length == character;
    });
    if (single) return character;
    if (m_tables.unknown < 0) {
      throw Refusal(
          {"tokenizer.bad_vocabulary",
           {},
           {},
           "the vocabulary lacks " + shownText(stretch.substr(at, character)) + " and names no unknown token",
           "use another tokenizer"});
    }
    reach(at + character, at, m_tables.unknown, m_tables.unknownScore + before);
    return character;
  }

  /// Walks back from the end; unknown parts side by side become one.
  void collect(std::string_view piece, std::size_t offset, std::vector<ModelToken>& tokens) {
    m_path.clear();
    for (std::size_t end = piece.size(); end > 0; end = m_steps[end].begin) {
      const Step& step = m_steps[end];
      if (step.id == m_tables.unknown && !m_path.empty() && m_path.back().id == m_tables.unknown) {
        m_path.back().begin = step.begin;
      } else {
        m_path.push_back({step.id, step.begin, static_cast<std::uint32_t>(end)});
      }
    }
    for (auto token = m_path.rbegin(); token != m_path.rend(); ++token) {
      emit(piece, *token, static_cast<std::uint32_t>(offset), tokens);
    }
  }

  void emit(std::string_view piece, ModelToken token, std::uint32_t offset, std::vector<ModelToken>& tokens) {
    const std::string_view text = piece.substr(token.begin, token.end - token.begin);
    token.begin += offset;
    token.end += offset;
    if (token.id != m_tables.unknown) {
      tokens.push_back(token);
      return;
    }
    // Unknown parts that are one piece together are this piece; the library looks it up again.
    m_tables.trie.prefixes(text, [&](std::size_t length, std::int32_t id) {
      if (length == text.size()) token.id = id;
    });
    const auto idOf = [this](char byte) { return m_tables.byteIds[static_cast<unsigned char>(byte)]; };
    const bool bytes = token.id == m_tables.unknown && m_tables.byteFallback &&
                       std::all_of(text.begin(), text.end(), [&](char byte) { return idOf(byte) >= 0; });
    if (!bytes) {
      token.asWritten = true;
      tokens.push_back(token);
      return;
    }
    for (const char byte : text) tokens.push_back({idOf(byte), token.begin, token.end});
  }

  const UnigramTables& m_tables;
  std::stop_token m_stop;
  std::uint32_t m_places = 0;
  PieceCache m_cache;
  std::vector<Step> m_steps;
  std::vector<ModelToken> m_path;
};

class UnigramModel final : public Model {
 public:
  explicit UnigramModel(UnigramTables tables) : m_tables(std::move(tables)) {}
  [[nodiscard]] std::unique_ptr<PieceEncoder> encoder(std::stop_token stop) const override {
    return std::make_unique<UnigramEncoder>(m_tables, std::move(stop));
  }

 private:
  UnigramTables m_tables;
};

/// One entry [piece, score]; adds the piece.
double readEntry(const Component& entry, std::int32_t id, Vocabulary& vocabulary) {
  const nlohmann::json& value = entry.value();
  if (!value.is_array() || value.size() != 2 || !value[0].is_string() || !value[1].is_number()) {
    entry.refuse("tokenizer.wrong_type", "a piece and its score are needed here");
  }
  const auto& piece = value[0].get_ref<const std::string&>();
  const double score = value[1].get<double>();
  if (!std::isfinite(score)) entry.refuse("tokenizer.bad_value", "the score is no finite number");
  if (piece.size() > kMaxUnigramPiece) {
    entry.refuse("tokenizer.bad_value", fmt::format("a piece has at most {} bytes", kMaxUnigramPiece));
  }
  if (!vocabulary.add(id, piece, true)) {
    entry.refuse("tokenizer.duplicate_id", shownText(piece) + " stands in the vocabulary twice");
  }
  return score;
}

}  // namespace

std::unique_ptr<const Model> makeUnigram(UnigramTables tables) {
  return std::make_unique<UnigramModel>(std::move(tables));
}

std::unique_ptr<const Model> makeUnigram(const Component& component, bool byteLevel, Vocabulary& vocabulary) {
  if (byteLevel) component.unsupported("a Unigram model with the ByteLevel pre-tokenizer");
  const Component list = component.at("vocab");
  const std::size_t count = list.listSize();
  UnigramTables tables;
  tables.scores.reserve(count);
  double lowest = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < count; ++i) {
    tables.scores.push_back(readEntry(list.item(i), static_cast<std::int32_t>(i), vocabulary));
    lowest = std::min(lowest, tables.scores.back());
  }
  if (const Component unknown = component.at("unk_id"); !unknown.isNull()) {
    tables.unknown = unknown.id();
    if (static_cast<std::size_t>(tables.unknown) >= count) {
      unknown.refuse("tokenizer.bad_id", fmt::format("the vocabulary has {} pieces", count));
    }
  }
  std::vector<std::pair<std::string_view, std::int32_t>> entries;
  for (std::size_t i = 0; i < count; ++i) {
    const auto id = static_cast<std::int32_t>(i);
    entries.emplace_back(vocabulary.piece(id), id);
  }
  tables.trie = PrefixTrie(std::move(entries));
  tables.byteIds = bytePieceIds(vocabulary);
  tables.byteFallback = component.flag("byte_fallback", false);
  tables.unknownScore = lowest - kUnknownPenalty;
  return std::make_unique<UnigramModel>(std::move(tables));
}

}  // namespace moescope::tokenizer
