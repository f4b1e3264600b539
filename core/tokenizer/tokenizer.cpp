#include "core/tokenizer/tokenizer.h"

#include "core/base/mapped_file.h"
#include "core/tokenizer/json_tokenizer.h"

namespace moescope::tokenizer {

namespace {

constexpr std::size_t kMaxFileBytes = 256u << 20;
constexpr std::size_t kMaxConfigBytes = 16u << 20;

}  // namespace

Result<std::shared_ptr<const Tokenizer>> Tokenizer::open(const std::filesystem::path& tokenizerFile) {
  const auto text = readTextFile(tokenizerFile, kMaxFileBytes);
  if (!text) return fail(text.error());
  const auto configFile = tokenizerFile.parent_path() / "tokenizer_config.json";
  std::string config;
  std::error_code ignored;
  if (std::filesystem::exists(configFile, ignored)) {
    auto read = readTextFile(configFile, kMaxConfigBytes);
    if (!read) return fail(read.error());
    config = *std::move(read);
  }
  return parse(*text, config, tokenizerFile.string());
}

Result<std::shared_ptr<const Tokenizer>> Tokenizer::parse(std::string_view tokenizerJson,
                                                          std::string_view configJson,
                                                          const std::string& file) {
  try {
    return std::make_shared<const JsonTokenizer>(tokenizerJson, configJson, file);
  } catch (const Refusal& refusal) {
    Error error = refusal.error();
    if (error.file.empty()) error.file = file;
    return fail(std::move(error));
  }
}

}  // namespace moescope::tokenizer
