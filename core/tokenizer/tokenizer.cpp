#include "core/tokenizer/tokenizer.h"

#include "core/base/mapped_file.h"
#include "core/tokenizer/assembled_tokenizer.h"
#include "core/tokenizer/sentencepiece_parts.h"
#include "core/tokenizer/stored_parts.h"

namespace moescope::tokenizer {

namespace {

constexpr std::size_t kMaxFileBytes = 256u << 20;
constexpr std::size_t kMaxConfigBytes = 16u << 20;

}  // namespace

std::filesystem::path Tokenizer::fileIn(const std::filesystem::path& folder) {
  std::error_code ignored;
  for (const char* name : {"tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model"}) {
    if (std::filesystem::exists(folder / name, ignored)) return folder / name;
  }
  return folder / "tokenizer.json";
}

Result<std::shared_ptr<const Tokenizer>> Tokenizer::open(const std::filesystem::path& tokenizerFile) {
  std::error_code ignored;
  const bool there = std::filesystem::exists(tokenizerFile, ignored);
  const auto file = there ? tokenizerFile : fileIn(tokenizerFile.parent_path());
  const auto text = readTextFile(file, kMaxFileBytes);
  if (!text) return fail(text.error());
  const auto configFile = file.parent_path() / "tokenizer_config.json";
  std::string config;
  if (std::filesystem::exists(configFile, ignored)) {
    auto read = readTextFile(configFile, kMaxConfigBytes);
    if (!read) return fail(read.error());
    config = *std::move(read);
  }
  return file.extension() == ".model" ? parseSentencePiece(*text, config, file.string())
                                      : parse(*text, config, file.string());
}

namespace {

template <class Read>
Result<std::shared_ptr<const Tokenizer>> assembled(std::string_view content, const std::string& file,
                                                   const Read& read) {
  try {
    return std::make_shared<const AssembledTokenizer>(content, file, read);
  } catch (const Refusal& refusal) {
    Error error = refusal.error();
    if (error.file.empty()) error.file = file;
    return fail(std::move(error));
  }
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> Tokenizer::parse(std::string_view tokenizerJson,
                                                          std::string_view configJson,
                                                          const std::string& file) {
  return assembled(tokenizerJson, file,
                   [&](TokenizerParts& parts) { readJsonParts(tokenizerJson, configJson, file, parts); });
}

Result<std::shared_ptr<const Tokenizer>> Tokenizer::parseSentencePiece(std::string_view model,
                                                                       std::string_view configJson,
                                                                       const std::string& file) {
  return assembled(model, file,
                   [&](TokenizerParts& parts) { readSentencePieceParts(model, configJson, file, parts); });
}

Result<std::shared_ptr<const Tokenizer>> Tokenizer::fromStored(const StoredVocabulary& stored,
                                                               const std::string& file) {
  std::string content = stored.model + '\n' + stored.preTokenizer;
  for (const auto* list : {&stored.pieces, &stored.merges}) {
    for (const std::string& each : *list) content.append("\n").append(each);
  }
  return assembled(content, file, [&](TokenizerParts& parts) { readStoredParts(stored, file, parts); });
}

}  // namespace moescope::tokenizer
