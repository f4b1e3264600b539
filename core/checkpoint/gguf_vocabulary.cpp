#include "core/checkpoint/gguf_vocabulary.h"

#include <cmath>
#include <exception>
#include <limits>

#include <fmt/format.h>

#include "core/base/strict_json.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/checkpoint_files.h"
#include "core/checkpoint/shown_text.h"

namespace moescope::checkpoint {

namespace {

constexpr auto kAdvice = "put the model's tokenizer.json beside the file, or convert the model again";
constexpr auto kTemplateKey =
    "tokenizer"
    ".chat_template";  // a key of GGUF, no kind of error
constexpr std::size_t kMostTemplateBytes = 1u << 20;

/// Ends reading; caught in readGgufVocabulary.
struct Stop {
  Error error;
};

class Reader {
 public:
  Reader(const GgufFile& file, const std::string& displayName) : m_file(file), m_name(displayName) {}

  StoredVocabulary read() {
    StoredVocabulary result;
    result.model = text("tokenizer.ggml.model", true);
    result.pieces = texts("tokenizer.ggml.tokens");
    const std::size_t count = result.pieces.size();
    if (count > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
      stop("gguf.unsupported_value", "tokenizer.ggml.tokens", "has too many tokens");
    }
    if (result.model == "gpt2") {
      result.preTokenizer = text("tokenizer.ggml.pre", true);
      result.merges = texts("tokenizer.ggml.merges");
    }
    if (result.model == "llama") result.scores = scores(count);
    result.types = types(count);
    result.begin = id("tokenizer.ggml.bos_token_id", count);
    result.end = id("tokenizer.ggml.eos_token_id", count);
    result.addBegin = flag("tokenizer.ggml.add_bos_token");
    result.addEnd = flag("tokenizer.ggml.add_eos_token");
    result.addSpacePrefix = flag("tokenizer.ggml.add_space_prefix");
    result.removeExtraSpaces = flag("tokenizer.ggml.remove_extra_whitespaces");
    result.chatTemplate = text(kTemplateKey, false);
    return result;
  }

 private:
  [[noreturn]] void stop(const char* kind, const std::string& key, const std::string& message) const {
    throw Stop{{kind, m_name, "key " + key, message, kAdvice}};
  }

  [[nodiscard]] const GgufValue* find(const char* key, bool isNeeded) const {
    const auto found = m_file.metadata.find(key);
    if (found != m_file.metadata.end()) return &found->second;
    if (isNeeded) stop("gguf.missing_key", key, "is missing");
    return nullptr;
  }

  [[nodiscard]] std::string checked(const char* key, std::string_view text) const {
    if (!isValidUtf8(text)) stop("gguf.unsupported_value", key, "is not UTF-8");
    return std::string(text);
  }

  [[nodiscard]] std::string text(const char* key, bool isNeeded) const {
    const GgufValue* value = find(key, isNeeded);
    if (value == nullptr) return {};
    const auto* text = std::get_if<std::string_view>(value);
    if (text == nullptr) stop("gguf.wrong_type", key, "is no text");
    if (text->size() > kMostTemplateBytes) stop("gguf.unsupported_value", key, "is longer than 1 MiB");
    return checked(key, *text);
  }

  [[nodiscard]] const GgufArray* list(const char* key, bool isNeeded) const {
    const GgufValue* value = find(key, isNeeded);
    if (value == nullptr) return nullptr;
    const auto* array = std::get_if<GgufArray>(value);
    if (array == nullptr) stop("gguf.wrong_type", key, "is no list");
    return array;
  }

  [[nodiscard]] std::vector<std::string> texts(const char* key) const {
    const GgufArray& array = *list(key, true);
    if (array.type != GgufType::String) stop("gguf.wrong_type", key, "is no list of texts");
    std::vector<std::string> result;
    result.reserve(static_cast<std::size_t>(array.count));
    for (const std::string_view each : texts(array)) result.push_back(checked(key, each));
    return result;
  }

  static std::vector<std::string_view> texts(const GgufArray& array) { return checkpoint::texts(array); }

  [[nodiscard]] std::vector<float> scores(std::size_t count) const {
    const auto* key = "tokenizer.ggml.scores";
    const auto numbers = realNumbers(*list(key, true), count);
    if (numbers.size() != count) stop("gguf.wrong_type", key, "is no list of a number for each token");
    std::vector<float> result;
    for (const double number : numbers) {
      if (!std::isfinite(number)) stop("gguf.unsupported_value", key, "holds what is no finite number");
      result.push_back(static_cast<float>(number));
    }
    return result;
  }

  [[nodiscard]] std::vector<StoredPieceType> types(std::size_t count) const {
    const auto* key = "tokenizer.ggml.token_type";
    const GgufArray* array = list(key, false);
    if (array == nullptr) return std::vector<StoredPieceType>(count, StoredPieceType::Normal);
    const auto numbers = wholeNumbers(*array, count);
    if (numbers.size() != count) stop("gguf.wrong_type", key, "is no list of a number for each token");
    std::vector<StoredPieceType> result;
    for (const std::int64_t number : numbers) {
      if (number < 1 || number > 6) {
        stop("gguf.unsupported_value", key, fmt::format("there is no type {}", number));
      }
      result.push_back(static_cast<StoredPieceType>(number));
    }
    return result;
  }

  [[nodiscard]] std::optional<std::int32_t> id(const char* key, std::size_t count) const {
    const GgufValue* value = find(key, false);
    if (value == nullptr) return std::nullopt;
    std::uint64_t number = count;
    if (const auto* natural = std::get_if<std::uint64_t>(value)) number = *natural;
    if (const auto* whole = std::get_if<std::int64_t>(value); whole != nullptr && *whole >= 0) {
      number = static_cast<std::uint64_t>(*whole);
    }
    if (number >= count) stop("gguf.unsupported_value", key, "is no id of a token");
    return static_cast<std::int32_t>(number);
  }

  [[nodiscard]] std::optional<bool> flag(const char* key) const {
    const GgufValue* value = find(key, false);
    if (value == nullptr) return std::nullopt;
    const auto* flag = std::get_if<bool>(value);
    if (flag == nullptr) stop("gguf.wrong_type", key, "is neither true nor false");
    return *flag;
  }

  const GgufFile& m_file;
  const std::string& m_name;
};

}  // namespace

Result<StoredVocabulary> readGgufVocabulary(const GgufFile& file, const std::string& displayName) {
  try {
    return Reader(file, displayName).read();
  } catch (const Stop& stopped) {
    return fail(stopped.error);
  }
}

bool usesStoredVocabulary(const Checkpoint& checkpoint) {
  if (checkpoint.ggufFile().empty()) return false;
  for (const char* name : {"tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model"}) {
    if (presence(checkpoint.configFolder(), name) != Presence::Absent) return false;
  }
  return true;
}

Result<StoredVocabulary> storedVocabulary(const Checkpoint& checkpoint) {
  const std::string name = checkpoint.ggufFile().filename().string();
  const auto file = openGgufFile(checkpoint.ggufFile(), name);
  if (!file) return fail(file.error());
  return readGgufVocabulary(*file, name);
}

}  // namespace moescope::checkpoint
