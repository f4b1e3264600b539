#include "core/tokenizer/stored_parts.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/tokenizer/sentencepiece_parts.h"

namespace moescope::tokenizer {

namespace {

using nlohmann::json;

constexpr auto kAdvice = "put the model's tokenizer.json beside the file";

// Patterns of the published tokenizers.
constexpr auto kGpt2 = R"re('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)re";
constexpr auto kLlama3 =
    R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";
constexpr auto kQwen2 =
    R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";
constexpr auto kGpt4o =
    R"re([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";
constexpr auto kDigit = R"re(\p{N})re";
constexpr auto kThreeDigits = R"re(\p{N}{1,3})re";
constexpr auto kLineBreak = R"re([\r\n])re";
constexpr auto kLetters =
    R"re(\s?[A-Za-z\u00B5\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u01BA\u01BC-\u01BF\u01C4-\u0293\u0370-\u0373\u037B-\u037D\u0386\u0388-\u03FF\u0400-\u0481\u048A-\u052F\u0531-\u0556\u10A0-\u10C5\u1E00-\u1FFF\uFF21-\uFF3A\uFF41-\uFF5A𐐀-𐑏]+)re";
constexpr auto kMarks = R"re(\s?[!-/:-~\uFF01-\uFF0F\uFF1A-\uFF5E\u2018-\u201F\u3000-\u3002]+)re";
constexpr auto kSpaceAtEnd = R"re(\s+$)re";
constexpr auto kIdeographs = R"re([\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+)re";
constexpr auto kKana = R"re([\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+)re";
constexpr auto kDeepseekV3 =
    R"re([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";

/// What stands behind a name of `tokenizer.ggml.pre`.
struct Rules {
  const char* name;
  std::array<const char*, 6> patterns;  ///< one after the other; null: no more
  bool ignoreMerges = false;
  bool isComposed = false;  ///< NFC before, as in the models' own tokenizers
  bool addsBegin = false;   ///< where the file has no flag
};
constexpr Rules kRules[] = {
    {"gpt-2", {kGpt2}},
    {"olmo", {kGpt2}, false, true},
    {"refact", {kDigit, kGpt2}},
    {"starcoder", {kDigit, kGpt2}},
    {"llama-bpe", {kLlama3}, true, false, true},
    {"llama3", {kLlama3}, true, false, true},
    {"llama-v3", {kLlama3}, true, false, true},
    {"dbrx", {kLlama3}},
    {"smaug-bpe", {kLlama3}},
    {"glm4", {kLlama3}, true},
    {"chatglm-bpe", {kLlama3}},
    {"qwen2", {kQwen2}, false, true},
    {"deepseek-llm", {kLineBreak, kLetters, kMarks, kSpaceAtEnd, kIdeographs, kDigit}},
    {"deepseek-v3", {kThreeDigits, kKana, kDeepseekV3}},
    {"gpt-4o", {kGpt4o}, true},
    {"llama4", {kGpt4o}, true},
};

[[noreturn]] void refuse(const char* kind, const std::string& file, std::string where, std::string message) {
  throw Refusal({kind, file, std::move(where), std::move(message), kAdvice});
}

const Rules& rulesOf(const StoredVocabulary& stored, const std::string& file) {
  const auto* found = std::find_if(std::begin(kRules), std::end(kRules),
                                   [&](const Rules& rules) { return rules.name == stored.preTokenizer; });
  if (found == std::end(kRules)) {
    refuse("tokenizer.unsupported", file, "key tokenizer.ggml.pre",
           "the pre-tokenizer " + shownText(stored.preTokenizer) + " is not supported");
  }
  return *found;
}

json preTokenizerOf(const Rules& rules) {
  json steps = json::array();
  for (const char* pattern : rules.patterns) {
    if (pattern == nullptr) break;
    steps.push_back(
        {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}});
  }
  steps.push_back({{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}});
  return {{"type", "Sequence"}, {"pretokenizers", steps}};
}

/// The byte-level model as the tokenizer.json that it was made from; what that file says of spaces around
/// added tokens is not in a GGUF file.
json documentOf(const StoredVocabulary& stored, const Rules& rules, const std::string& file) {
  json vocabulary = json::object();
  json added = json::array();
  for (std::size_t i = 0; i < stored.pieces.size(); ++i) {
    const std::string& piece = stored.pieces[i];
    if (!vocabulary.emplace(piece, i).second) {
      refuse("tokenizer.duplicate_id", file, fmt::format("token {}", i),
             shownText(piece) + " stands in the vocabulary twice");
    }
    const StoredPieceType type = stored.types[i];
    const bool isControl = type == StoredPieceType::Control || type == StoredPieceType::Unknown;
    if (!isControl && type != StoredPieceType::UserDefined) continue;
    added.push_back({{"id", i}, {"content", piece}, {"special", isControl}, {"normalized", false}});
  }
  const json byteLevel = {{"type", "ByteLevel"}};
  return {{"normalizer", rules.isComposed ? json{{"type", "NFC"}} : json()},
          {"pre_tokenizer", preTokenizerOf(rules)},
          {"model",
           {{"type", "BPE"},
            {"vocab", std::move(vocabulary)},
            {"merges", stored.merges},
            {"ignore_merges", rules.ignoreMerges}}},
          {"added_tokens", std::move(added)},
          {"decoder", byteLevel}};
}

/// As tokenizer_config.json has it.
std::string configOf(const StoredVocabulary& stored, bool addsBegin) {
  json config = json::object();
  const auto put = [&](const char* flag, const char* key, std::optional<std::int32_t> id, bool adds) {
    config[flag] = adds && id.has_value();
    if (id) config[key] = stored.pieces[static_cast<std::size_t>(*id)];
  };
  put("add_bos_token", "bos_token", stored.begin, stored.addBegin.value_or(addsBegin));
  put("add_eos_token", "eos_token", stored.end, stored.addEnd.value_or(false));
  return config.dump();
}

SentencePieceFile sentencePiecesOf(const StoredVocabulary& stored) {
  SentencePieceFile result;
  result.kind = SentencePieceFile::Kind::Bpe;
  for (std::size_t i = 0; i < stored.pieces.size(); ++i) {
    const auto type = static_cast<SentencePieceFile::Type>(stored.types[i]);
    result.byteFallback = result.byteFallback || type == SentencePieceFile::Type::Byte;
    result.pieces.push_back({stored.pieces[i], stored.scores[i], type});
  }
  result.addDummyPrefix = stored.addSpacePrefix.value_or(true);
  result.removeExtraSpaces = stored.removeExtraSpaces.value_or(false);
  return result;
}

}  // namespace

void readStoredParts(const StoredVocabulary& stored, const std::string& file, TokenizerParts& parts) {
  if (stored.pieces.empty()) {
    refuse("tokenizer.bad_vocabulary", file, "key tokenizer.ggml.tokens", "the list of tokens is empty");
  }
  if (stored.model == "gpt2") {
    const Rules& rules = rulesOf(stored, file);
    readJsonParts(documentOf(stored, rules, file), configOf(stored, rules.addsBegin), file, parts);
  } else if (stored.model == "llama") {
    for (std::size_t i = 0; i < stored.pieces.size(); ++i) {
      if (!stored.pieces[i].empty()) continue;
      refuse("tokenizer.bad_value", file, fmt::format("token {}", i), "the piece is no text");
    }
    readSentencePieceParts(sentencePiecesOf(stored), configOf(stored, true), file, parts);
  } else {
    refuse("tokenizer.unsupported", file, "key tokenizer.ggml.model",
           "a tokenizer of the kind " + shownText(stored.model) + " is not supported");
  }
}

}  // namespace moescope::tokenizer
