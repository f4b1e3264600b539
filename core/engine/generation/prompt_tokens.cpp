#include "core/engine/generation/prompt_tokens.h"

#include <fmt/format.h>

#include "core/base/mapped_file.h"
#include "core/base/strict_json.h"

namespace moescope::engine {

namespace {

constexpr std::size_t kMaxConfigBytes = 16U << 20;
constexpr std::int64_t kMaxLogitBytes = std::int64_t{64} << 20;

/// `bos_token` is a string or an added token with `content`.
std::string tokenContent(const nlohmann::json& config, const char* key) {
  const auto found = config.find(key);
  if (found == config.end()) return {};
  if (found->is_string()) return found->get<std::string>();
  if (found->is_object() && found->contains("content") && (*found)["content"].is_string()) {
    return (*found)["content"].get<std::string>();
  }
  return {};
}

}  // namespace

std::optional<std::int32_t> beginToken(const checkpoint::Checkpoint& checkpoint,
                                       const tokenizer::Tokenizer& tokenizer) {
  const auto fallback = checkpoint.description().beginToken;
  const auto text = readTextFile(checkpoint.configFolder() / "tokenizer_config.json", kMaxConfigBytes);
  if (!text) return fallback;
  const auto config = parseStrictJson(*text);
  if (!config || !config->is_object()) return fallback;
  const auto add = config->find("add_bos_token");
  if (add == config->end() || !add->is_boolean()) return fallback;
  if (!add->get<bool>()) return std::nullopt;
  const std::int32_t id = tokenizer.idOf(tokenContent(*config, "bos_token"));
  return id >= 0 ? std::optional(id) : fallback;
}

Result<std::vector<std::int32_t>> textIds(std::string_view text, const tokenizer::Tokenizer& tokenizer,
                                          std::optional<std::int32_t> begin, std::stop_token stop) {
  const auto encoded = tokenizer.encode(text, true, nullptr, std::move(stop));
  if (!encoded) return fail(encoded.error());
  std::vector<std::int32_t> ids;
  ids.reserve(encoded->size() + 1);
  if (begin && (encoded->empty() || encoded->front().id != *begin)) ids.push_back(*begin);
  for (const auto& token : *encoded) ids.push_back(token.id);
  return ids;
}

Result<std::vector<std::int32_t>> decoderBegin(const checkpoint::ModelDescription& description,
                                               const tokenizer::Tokenizer& tokenizer,
                                               std::string_view prefix) {
  if (!description.encoder && !prefix.empty()) {
    return fail("generate.no_decoder", "", "",
                "the model has no encoder, so its text begins with the prompt and not with a decoder prefix",
                "put the prefix at the end of the prompt");
  }
  if (!description.encoder) return std::vector<std::int32_t>();
  std::vector<std::int32_t> ids{description.encoder->decoderStart};
  if (prefix.empty() && description.encoder->forcedBegin) ids.push_back(*description.encoder->forcedBegin);
  const auto encoded = tokenizer.encode(prefix, false);
  if (!encoded) return fail(encoded.error());
  for (const auto& token : *encoded) ids.push_back(token.id);
  return ids;
}

int prefillChunk(const Model& model) {
  const std::int64_t rowBytes = std::int64_t{4} * model.checkpoint().description().vocabularySize;
  int chunk = std::max(1, model.prefillBlock());
  // A prompt that is cut would have other capacities, and an encoder sees its input from both sides.
  const auto& description = model.checkpoint().description();
  if (description.capacity || description.encoder) return chunk;
  while (chunk > 1 && chunk % 2 == 0 && chunk * rowBytes > kMaxLogitBytes) chunk /= 2;
  return chunk;
}

std::string textHash(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char byte : text) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 0x100000001B3ULL;
  }
  return fmt::format("{:016x}", hash);
}

}  // namespace moescope::engine
