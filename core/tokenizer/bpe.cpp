#include "core/tokenizer/bpe.h"

#include <algorithm>

#include "core/tokenizer/byte_alphabet.h"
#include "core/tokenizer/piece_cache.h"
#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

/// A run of bytes that is one token so far; neighbours by index, -1 at the ends.
struct Symbol {
  std::int32_t id = 0;
  std::int32_t previous = -1;
  std::int32_t next = -1;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

/// A pair that may merge, unless one of its symbols has merged otherwise meanwhile.
struct Candidate {
  MergeTable::Merge merge;
  std::int32_t position = 0;  // of the left symbol
  std::int32_t left = 0;
  std::int32_t right = 0;
};

/// For a heap with the lowest rank, then the leftmost pair, on top.
bool after(const Candidate& a, const Candidate& b) {
  return a.merge.rank != b.merge.rank ? a.merge.rank > b.merge.rank : a.position > b.position;
}

class BpeEncoder final : public PieceEncoder {
 public:
  explicit BpeEncoder(const BpeTables& tables) : m_tables(tables) {}

  void encode(std::string_view piece, std::vector<ModelToken>& tokens) override {
    if (m_tables.wholePiecesFirst) {
      const std::int32_t id = m_tables.vocabulary->idOf(m_tables.byteLevel ? toByteAlphabet(piece) : piece);
      if (m_tables.vocabulary->isOfModel(id)) {
        tokens.push_back({id, 0, static_cast<std::uint32_t>(piece.size())});
        return;
      }
    }
    if (m_tables.byteLevel) {
      encodeBytes(piece, tokens);
    } else {
      encodeCharacters(piece, tokens);
    }
  }

 private:
  Symbol& symbol(std::int32_t at) { return m_symbols[static_cast<std::size_t>(at)]; }

  void encodeBytes(std::string_view piece, std::vector<ModelToken>& tokens) {
    if (m_cache.append(piece, 0, tokens)) return;
    m_symbols.clear();
    for (std::uint32_t at = 0; at < piece.size(); ++at) {
      const std::int32_t id = m_tables.byteIds[static_cast<unsigned char>(piece[at])];
      if (id >= 0) {
        addSymbol(id, at, at + 1);
      } else {
        addUnknown(at, at + 1);
      }
    }
    finish(piece, 0, tokens);
  }

  /// Cuts the piece where no merge can join, so that neither memory nor time grow with its length.
  void encodeCharacters(std::string_view piece, std::vector<ModelToken>& tokens) {
    m_symbols.clear();
    std::uint32_t begin = 0;
    for (std::uint32_t at = 0; at < piece.size();) {
      const Utf8Unit unit = utf8At(piece, at);
      const auto end = at + static_cast<std::uint32_t>(unit.length);
      const std::int32_t id = m_tables.characters.idOf(unit.character);
      const bool bytes = id < 0 && hasBytes(piece.substr(at, unit.length));
      if (canCut(id, bytes)) {
        finishStretch(piece, begin, at, tokens);
        begin = at;
      }
      if (id >= 0) {
        addSymbol(id, at, end);
      } else if (bytes) {
        for (; at < end; ++at) addSymbol(byteId(piece[at]), at, at + 1);
      } else {
        addUnknown(at, end);
      }
      at = end;
    }
    finishStretch(piece, begin, static_cast<std::uint32_t>(piece.size()), tokens);
  }

  [[nodiscard]] std::int32_t byteId(char byte) const {
    return m_tables.byteIds[static_cast<unsigned char>(byte)];
  }

  [[nodiscard]] bool hasBytes(std::string_view character) const {
    return m_tables.byteFallback &&
           std::all_of(character.begin(), character.end(), [this](char byte) { return byteId(byte) >= 0; });
  }

  /// True if nothing joins the last symbol with the character that comes now.
  [[nodiscard]] bool canCut(std::int32_t id, bool bytes) const {
    if (!m_tables.cuts || m_symbols.empty()) return false;
    const std::int32_t last = m_symbols.back().id;
    if (id >= 0) return m_tables.joins.find(last, id).id < 0;
    return bytes || (m_tables.unknown >= 0 && last != m_tables.unknown);
  }

  void addSymbol(std::int32_t id, std::uint32_t begin, std::uint32_t end) {
    const auto index = static_cast<std::int32_t>(m_symbols.size());
    m_symbols.push_back({id, index - 1, index + 1, begin, end});
  }

  void addUnknown(std::uint32_t begin, std::uint32_t end) {
    if (m_tables.unknown < 0) return;  // the library drops what the vocabulary cannot say
    if (m_tables.fuseUnknown && !m_symbols.empty() && m_symbols.back().id == m_tables.unknown) {
      m_symbols.back().end = end;
    } else {
      addSymbol(m_tables.unknown, begin, end);
    }
  }

  void finishStretch(std::string_view piece, std::uint32_t begin, std::uint32_t end,
                     std::vector<ModelToken>& tokens) {
    const std::string_view stretch = piece.substr(begin, end - begin);
    if (m_symbols.size() < 2 || !m_cache.append(stretch, begin, tokens)) finish(stretch, begin, tokens);
    m_symbols.clear();
  }

  /// The tokens of the symbols, which cover `stretch` from `begin` on.
  void finish(std::string_view stretch, std::uint32_t begin, std::vector<ModelToken>& tokens) {
    if (m_symbols.empty()) return;
    m_symbols.back().next = -1;
    if (m_symbols.size() == 1) {
      tokens.push_back({m_symbols.front().id, m_symbols.front().begin, m_symbols.front().end});
      return;
    }
    mergeAll();
    const std::size_t first = tokens.size();
    for (std::int32_t at = 0; at >= 0; at = symbol(at).next) {
      tokens.push_back({symbol(at).id, symbol(at).begin, symbol(at).end});
    }
    m_cache.remember(stretch, begin, tokens, first);
  }

  void mergeAll() {
    m_candidates.clear();
    for (std::size_t i = 0; i + 1 < m_symbols.size(); ++i) consider(static_cast<std::int32_t>(i));
    std::make_heap(m_candidates.begin(), m_candidates.end(), after);
    while (!m_candidates.empty()) {
      std::pop_heap(m_candidates.begin(), m_candidates.end(), after);
      const Candidate best = m_candidates.back();
      m_candidates.pop_back();
      Symbol& left = symbol(best.position);
      if (left.id < 0 || left.next < 0) continue;
      Symbol& right = symbol(left.next);
      if (right.id < 0) continue;
      // As the library has it, another pair may take the place if it merges into the same token.
      const bool same = left.id == best.left && right.id == best.right;
      if (!same && m_tables.merges.find(left.id, right.id).id != best.merge.id) continue;
      left.id = best.merge.id;
      left.end = right.end;
      left.next = right.next;
      right.id = -1;  // gone
      if (left.next >= 0) symbol(left.next).previous = best.position;
      if (left.next >= 0 && consider(best.position)) push();
      if (left.previous >= 0 && consider(left.previous)) push();
    }
  }

  /// Adds the pair that starts at `position` if it can merge.
  bool consider(std::int32_t position) {
    const Symbol& left = symbol(position);
    const std::int32_t right = symbol(left.next).id;
    const auto merge = m_tables.merges.find(left.id, right);
    if (merge.id < 0) return false;
    m_candidates.push_back({merge, position, left.id, right});
    return true;
  }

  void push() { std::push_heap(m_candidates.begin(), m_candidates.end(), after); }

  const BpeTables& m_tables;
  PieceCache m_cache;
  std::vector<Symbol> m_symbols;
  std::vector<Candidate> m_candidates;
};

class BpeModel final : public Model {
 public:
  explicit BpeModel(BpeTables tables) : m_tables(std::move(tables)) {}
  [[nodiscard]] std::unique_ptr<PieceEncoder> encoder() const override {
    return std::make_unique<BpeEncoder>(m_tables);
  }

 private:
  BpeTables m_tables;
};

}  // namespace

std::unique_ptr<const Model> makeBpe(const Component& component, bool byteLevel, Vocabulary& vocabulary) {
  return makeBpe(readBpe(component, byteLevel, vocabulary));
}

std::unique_ptr<const Model> makeBpe(BpeTables tables) {
  return std::make_unique<BpeModel>(std::move(tables));
}

}  // namespace moescope::tokenizer
