#include "core/tokenizer/bpe_tables.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/tokenizer/byte_alphabet.h"
#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

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

using Pairs = std::vector<std::pair<std::int32_t, std::int32_t>>;

MergeTable readMerges(const Component& list, const Vocabulary& vocabulary, Pairs& pairs) {
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
    pairs.emplace_back(leftId, rightId);
    merges.insert(leftId, rightId,
                  {static_cast<std::uint32_t>(rank), known(std::string(left).append(right))});
  }
  return merges;
}

void refuseWhatIsNotRead(const Component& component) {
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!component.textAt(key, "").empty())
      component.at(key).unsupported(std::string("a BPE model with ") + key);
  }
  const Component dropout = component.at("dropout");
  if (!dropout.isNull() && dropout.value() != 0) dropout.unsupported("a BPE model with dropout");
}

/// Ids of the byte alphabet; true if no byte is missing.
bool readAlphabet(const Vocabulary& vocabulary, ByteIds& ids) {
  bool complete = true;
  for (std::size_t byte = 0; byte < ids.size(); ++byte) {
    const char character = static_cast<char>(byte);
    ids[byte] = vocabulary.idOf(toByteAlphabet({&character, 1}));
    complete = complete && ids[byte] >= 0;
  }
  return complete;
}

std::int32_t firstCharacter(const BpeTables& tables, std::int32_t id) {
  const std::string& piece = tables.vocabulary->piece(id);
  return piece.empty() ? -1 : tables.characters.idOf(utf8At(piece, 0).character);
}

std::int32_t lastCharacter(const BpeTables& tables, std::int32_t id) {
  const std::string& piece = tables.vocabulary->piece(id);
  if (piece.empty()) return -1;
  std::size_t at = piece.size() - 1;
  while (at > 0 && isContinuation(piece[at])) --at;
  return tables.characters.idOf(utf8At(piece, at).character);
}

}  // namespace

void findJoins(BpeTables& tables, const Pairs& pairs) {
  if (tables.byteLevel) return;
  // Bytes and the unknown token are no text of their own: a merge with one of them is not understood here.
  std::vector<bool> isOdd(static_cast<std::size_t>(tables.vocabulary->size()));
  const auto mark = [&](std::int32_t id) {
    if (id >= 0) isOdd[static_cast<std::size_t>(id)] = true;
  };
  mark(tables.unknown);
  if (tables.byteFallback) std::for_each(tables.byteIds.begin(), tables.byteIds.end(), mark);
  const auto touchesOdd = [&](const auto& pair) {
    return isOdd[static_cast<std::size_t>(pair.first)] || isOdd[static_cast<std::size_t>(pair.second)];
  };
  if (std::any_of(pairs.begin(), pairs.end(), touchesOdd)) return;
  tables.cuts = true;
  tables.joins = MergeTable(pairs.size());
  for (const auto& [left, right] : pairs) {
    const std::int32_t last = lastCharacter(tables, left);
    const std::int32_t first = firstCharacter(tables, right);
    if (last >= 0 && first >= 0) tables.joins.insert(last, first, {0, 0});
  }
}

BpeTables readBpe(const Component& component, bool byteLevel, Vocabulary& vocabulary) {
  refuseWhatIsNotRead(component);
  BpeTables tables;
  tables.byteLevel = byteLevel;
  tables.vocabulary = &vocabulary;
  readVocabulary(component.at("vocab"), vocabulary);
  Pairs pairs;
  tables.merges = readMerges(component.at("merges"), vocabulary, pairs);
  const std::string unknown = component.textAt("unk_token", "");
  tables.unknown = unknown.empty() ? -1 : vocabulary.idOf(unknown);
  tables.fuseUnknown = component.flag("fuse_unk", false);
  tables.wholePiecesFirst = component.flag("ignore_merges", false);
  tables.byteFallback = component.flag("byte_fallback", false);
  bool complete = false;
  if (byteLevel) {
    complete = readAlphabet(vocabulary, tables.byteIds);
    if (tables.byteFallback && !complete) {
      component.at("byte_fallback").unsupported("byte_fallback of a byte-level model that lacks bytes");
    }
  } else {
    tables.characters = CharacterMap(vocabulary);
    tables.byteIds = bytePieceIds(vocabulary);
    const auto& ids = tables.byteIds;
    complete = tables.byteFallback && std::find(ids.begin(), ids.end(), -1) == ids.end();
  }
  if (!unknown.empty() && tables.unknown < 0 && !complete) {
    component.at("unk_token")
        .refuse("tokenizer.bad_vocabulary",
                "the vocabulary has no token " + shownText(unknown) + " and cannot say every text");
  }
  findJoins(tables, pairs);
  return tables;
}

}  // namespace moescope::tokenizer
