#include "core/tokenizer/bpe.h"

#include <algorithm>

#include "core/tokenizer/byte_alphabet.h"
#include "core/tokenizer/merge_queue.h"
#include "core/tokenizer/piece_cache.h"
#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

/// A run of bytes that is one token so far, up to the next one; neighbours by index, -1 at the ends.
struct Symbol {
  std::int32_t id = 0;
  std::int32_t previous = -1;
  std::int32_t next = -1;
  std::uint32_t begin = 0;
};

/// Bytes that the vocabulary cannot say and that are dropped.
struct Hole {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

constexpr std::size_t kLongStretch = 4096;   // symbols
constexpr std::size_t kMostKept = 1u << 16;  // symbols whose memory stays for the next piece
constexpr std::uint32_t kMergesBetweenStops = 1u << 14;

class BpeEncoder final : public PieceEncoder {
 public:
  BpeEncoder(const BpeTables& tables, std::stop_token stop) : m_tables(tables), m_stop(std::move(stop)) {}

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
    clear();
    if (piece.size() > kLongStretch) m_symbols.reserve(piece.size());
    for (std::uint32_t at = 0; at < piece.size(); ++at) {
      const std::int32_t id = m_tables.byteIds[static_cast<unsigned char>(piece[at])];
      if (id >= 0) {
        addSymbol(id, at);
      } else {
        addUnknown(at, at + 1);
      }
    }
    finish(piece, 0, tokens);
  }

  /// Cuts the piece where no merge can join, so that neither memory nor time grow with its length.
  void encodeCharacters(std::string_view piece, std::vector<ModelToken>& tokens) {
    clear();
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
        addSymbol(id, at);
      } else if (bytes) {
        for (; at < end; ++at) addSymbol(byteId(piece[at]), at);
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

  void addSymbol(std::int32_t id, std::uint32_t begin) {
    const auto index = static_cast<std::int32_t>(m_symbols.size());
    m_symbols.push_back({id, index - 1, index + 1, begin});
  }

  void addUnknown(std::uint32_t begin, std::uint32_t end) {
    if (m_tables.unknown < 0) {  // the library drops what the vocabulary cannot say
      if (!m_holes.empty() && m_holes.back().end == begin) {
        m_holes.back().end = end;
      } else {
        m_holes.push_back({begin, end});
      }
    } else if (!m_tables.fuseUnknown || m_symbols.empty() || m_symbols.back().id != m_tables.unknown) {
      addSymbol(m_tables.unknown, begin);
    }
  }

  void clear() {
    if (m_symbols.capacity() > kMostKept) m_symbols = {};
    m_symbols.clear();
    m_holes.clear();
  }

  void finishStretch(std::string_view piece, std::uint32_t begin, std::uint32_t end,
                     std::vector<ModelToken>& tokens) {
    const std::string_view stretch = piece.substr(begin, end - begin);
    if (m_symbols.size() < 2 || !m_cache.append(stretch, begin, tokens)) finish(stretch, begin, tokens);
    clear();
  }

  /// The tokens of the symbols, which cover `stretch` from `begin` on.
  void finish(std::string_view stretch, std::uint32_t begin, std::vector<ModelToken>& tokens) {
    if (m_symbols.empty()) return;
    m_symbols.back().next = -1;
    const auto end = begin + static_cast<std::uint32_t>(stretch.size());
    const std::size_t first = tokens.size();
    if (m_symbols.size() > kLongStretch) {
      LongQueue waiting;
      tokens.reserve(first + m_symbols.size() - mergeAll(waiting));
    } else if (m_symbols.size() > 1) {
      mergeAll(m_waiting);
    }
    append(end, tokens);
    if (m_symbols.size() > 1) m_cache.remember(stretch, begin, tokens, first);
    if (m_symbols.size() > kMostKept) clear();
  }

  /// A symbol ends where the next one begins, or at the hole before it.
  void append(std::uint32_t end, std::vector<ModelToken>& tokens) const {
    auto hole = m_holes.begin();
    for (std::int32_t at = 0; at >= 0;) {
      const Symbol& now = m_symbols[static_cast<std::size_t>(at)];
      std::uint32_t until = now.next < 0 ? end : m_symbols[static_cast<std::size_t>(now.next)].begin;
      while (hole != m_holes.end() && hole->end < until) ++hole;
      if (hole != m_holes.end() && hole->end == until && hole->begin > now.begin) until = hole->begin;
      tokens.push_back({now.id, now.begin, until});
      at = now.next;
    }
  }

  /// Returns how many symbols are gone.
  template <class Queue>
  std::size_t mergeAll(Queue& waiting) {
    for (std::size_t i = 0; i + 1 < m_symbols.size(); ++i) {
      const auto position = static_cast<std::int32_t>(i);
      if (const auto merge = mergeAt(position); merge.id >= 0) waiting.add(position, merge);
    }
    waiting.order();
    std::size_t gone = 0;
    std::uint32_t looked = 0;
    for (WaitingMerge best; waiting.pop(best);) {
      if (++looked % kMergesBetweenStops == 0) throwIfStopped(m_stop);
      Symbol& left = symbol(best.position);
      // As the library has it, another pair may take the place if it merges into the same token.
      if (left.id < 0 || left.next < 0 || mergeAt(best.position).id != best.id) continue;
      Symbol& right = symbol(left.next);
      left.id = best.id;
      left.next = right.next;
      right.id = -1;
      ++gone;
      if (left.next >= 0) symbol(left.next).previous = best.position;
      pushAt(best.position, waiting);
      if (left.previous >= 0) pushAt(left.previous, waiting);
    }
    return gone;
  }

  template <class Queue>
  void pushAt(std::int32_t position, Queue& waiting) {
    if (const auto merge = mergeAt(position); merge.id >= 0) waiting.push(position, merge);
  }

  /// What the pair that starts at `position` merges into.
  [[nodiscard]] MergeTable::Merge mergeAt(std::int32_t position) {
    const Symbol& left = symbol(position);
    return left.next < 0 ? MergeTable::Merge{} : m_tables.merges.find(left.id, symbol(left.next).id);
  }

  const BpeTables& m_tables;
  std::stop_token m_stop;
  PieceCache m_cache;
  std::vector<Symbol> m_symbols;
  std::vector<Hole> m_holes;
  WordQueue m_waiting;  // empty between pieces
};

class BpeModel final : public Model {
 public:
  explicit BpeModel(BpeTables tables) : m_tables(std::move(tables)) {}
  [[nodiscard]] std::unique_ptr<PieceEncoder> encoder(std::stop_token stop) const override {
    return std::make_unique<BpeEncoder>(m_tables, std::move(stop));
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
