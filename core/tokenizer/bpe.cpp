#include "core/tokenizer/bpe.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/tokenizer/byte_alphabet.h"
#include "core/tokenizer/merge_table.h"

namespace moescope::tokenizer {

namespace {

struct Bpe {
  MergeTable merges{0};
  std::array<std::int32_t, 256> byteIds{};  // -1: the vocabulary lacks the byte
  std::int32_t unknown = -1;
  bool fuseUnknown = false;
  bool wholePiecesFirst = false;  // ignore_merges
  const Vocabulary* vocabulary = nullptr;
};

/// A run of bytes that is one token so far; neighbours by index, -1 at the ends.
struct Symbol {
  std::int32_t id = 0;
  std::int32_t previous = -1;
  std::int32_t next = -1;
  std::size_t begin = 0;
  std::size_t end = 0;
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
  explicit BpeEncoder(const Bpe& bpe) : m_bpe(bpe) {}

  void encode(std::string_view piece, std::vector<ModelToken>& tokens) override {
    if (m_bpe.wholePiecesFirst) {
      const std::int32_t id = m_bpe.vocabulary->idOf(toByteAlphabet(piece));
      if (m_bpe.vocabulary->isOfModel(id)) {
        tokens.push_back({id, 0, piece.size()});
        return;
      }
    }
    start(piece);
    mergeAll();
    for (std::int32_t at = m_symbols.empty() ? -1 : 0; at >= 0; at = symbol(at).next) {
      tokens.push_back({symbol(at).id, symbol(at).begin, symbol(at).end});
    }
  }

 private:
  Symbol& symbol(std::int32_t at) { return m_symbols[static_cast<std::size_t>(at)]; }

  void start(std::string_view piece) {
    m_symbols.clear();
    for (std::size_t at = 0; at < piece.size(); ++at) {
      std::int32_t id = m_bpe.byteIds[static_cast<unsigned char>(piece[at])];
      if (id < 0) {
        id = m_bpe.unknown;
        if (id < 0) continue;  // the library drops what the vocabulary cannot say
        const bool behindUnknown = !m_symbols.empty() && m_symbols.back().id == id;
        if (m_bpe.fuseUnknown && behindUnknown) {
          m_symbols.back().end = at + 1;
          continue;
        }
      }
      const auto index = static_cast<std::int32_t>(m_symbols.size());
      m_symbols.push_back({id, index - 1, index + 1, at, at + 1});
    }
    if (!m_symbols.empty()) m_symbols.back().next = -1;
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
      if (left.id != best.left || left.next < 0) continue;
      Symbol& right = symbol(left.next);
      if (right.id != best.right) continue;
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
    const auto merge = m_bpe.merges.find(left.id, right);
    if (merge.id < 0) return false;
    m_candidates.push_back({merge, position, left.id, right});
    return true;
  }

  void push() { std::push_heap(m_candidates.begin(), m_candidates.end(), after); }

  const Bpe& m_bpe;
  std::vector<Symbol> m_symbols;
  std::vector<Candidate> m_candidates;
};

class BpeModel final : public Model {
 public:
  explicit BpeModel(Bpe bpe) : m_bpe(std::move(bpe)) {}
  [[nodiscard]] std::unique_ptr<PieceEncoder> encoder() const override {
    return std::make_unique<BpeEncoder>(m_bpe);
  }

 private:
  Bpe m_bpe;
};

void readVocabulary(const Component& component, Vocabulary& vocabulary) {
  const nlohmann::json& pieces = component.value();
  if (!pieces.is_object()) component.refuse("tokenizer.wrong_type", "an object is needed here");
  const std::int64_t largest = Vocabulary::largestId(pieces.size());
  for (const auto& [piece, value] : pieces.items()) {
    const bool fits =
        value.is_number_unsigned() && value.get<std::uint64_t>() <= static_cast<std::uint64_t>(largest);
    if (fits && vocabulary.add(value.get<std::int32_t>(), piece, true)) continue;
    // Something is wrong: only now is the place worth its words.
    const Component entry(value, component.file(), component.place() + "[" + shownText(piece) + "]");
    const std::int32_t id = entry.id();
    if (fits) {
      entry.refuse("tokenizer.duplicate_id",
                   fmt::format("id {} also stands for {}", id, shownText(vocabulary.piece(id))));
    }
    entry.refuse("tokenizer.bad_id", fmt::format("id {} is out of range for {} tokens", id, pieces.size()));
  }
}

/// The two parts of a merge, written "a b" or ["a", "b"].
std::pair<std::string_view, std::string_view> mergeParts(const Component& list, std::size_t rank) {
  const nlohmann::json& merge = list.value()[rank];
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    return {merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>()};
  }
  const std::string_view text = merge.is_string() ? merge.get_ref<const std::string&>() : std::string_view{};
  const auto space = text.find(' ');
  if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
    list.item(rank).refuse("tokenizer.bad_merge",
                           "a merge is two strings, or two parts with a space between");
  }
  return {text.substr(0, space), text.substr(space + 1)};
}

MergeTable readMerges(const Component& list, const Vocabulary& vocabulary) {
  const std::size_t count = list.listSize();
  MergeTable merges(count);
  for (std::size_t rank = 0; rank < count; ++rank) {
    const auto [left, right] = mergeParts(list, rank);
    const auto known = [&](std::string_view piece) {
      const std::int32_t id = vocabulary.idOf(piece);
      if (id < 0) {
        list.item(rank).refuse("tokenizer.bad_merge", "the vocabulary has no token " + shownText(piece));
      }
      return id;
    };
    const std::int32_t leftId = known(left);
    const std::int32_t rightId = known(right);
    merges.insert(leftId, rightId,
                  {static_cast<std::uint32_t>(rank), known(std::string(left).append(right))});
  }
  return merges;
}

void refuseWhatIsNotByteLevel(const Component& component, bool byteLevel) {
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!component.textAt(key, "").empty())
      component.at(key).unsupported(std::string("a BPE model with ") + key);
  }
  const Component dropout = component.at("dropout");
  if (!dropout.isNull() && dropout.value() != 0) dropout.unsupported("a BPE model with dropout");
  if (component.flag("byte_fallback", false)) {
    component.at("byte_fallback").unsupported("a BPE model with byte_fallback");
  }
  if (!byteLevel) component.unsupported("a BPE model without the ByteLevel pre-tokenizer");
}

}  // namespace

std::unique_ptr<const Model> makeBpe(const Component& component, bool byteLevel, Vocabulary& vocabulary) {
  refuseWhatIsNotByteLevel(component, byteLevel);
  Bpe bpe;
  readVocabulary(component.at("vocab"), vocabulary);
  bpe.merges = readMerges(component.at("merges"), vocabulary);
  bool complete = true;
  for (std::size_t byte = 0; byte < bpe.byteIds.size(); ++byte) {
    const char character = static_cast<char>(byte);
    bpe.byteIds[byte] = vocabulary.idOf(toByteAlphabet({&character, 1}));
    complete = complete && bpe.byteIds[byte] >= 0;
  }
  const std::string unknown = component.textAt("unk_token", "");
  bpe.unknown = unknown.empty() ? -1 : vocabulary.idOf(unknown);
  if (!unknown.empty() && bpe.unknown < 0 && !complete) {
    component.at("unk_token")
        .refuse("tokenizer.bad_vocabulary",
                "the vocabulary has no token " + shownText(unknown) + " and lacks some bytes");
  }
  bpe.fuseUnknown = component.flag("fuse_unk", false);
  bpe.wholePiecesFirst = component.flag("ignore_merges", false);
  bpe.vocabulary = &vocabulary;
  return std::make_unique<BpeModel>(std::move(bpe));
}

}  // namespace moescope::tokenizer
