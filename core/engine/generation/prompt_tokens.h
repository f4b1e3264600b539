// Prompt tokens: how a text begins for a model, and in which pieces it is forwarded.
// Not for chat templates.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string_view>
#include <vector>

#include "core/engine/api/engine.h"
#include "core/tokenizer/tokenizer.h"

namespace moescope::engine {

/// The token that stands before every text of this model, or none. tokenizer_config.json decides
/// with `add_bos_token`; where it says nothing, ModelDescription::beginToken counts. A begin token that
/// tokenizer.json's own template adds need not be named here.
std::optional<std::int32_t> beginToken(const checkpoint::Checkpoint& checkpoint,
                                       const tokenizer::Tokenizer& tokenizer);

/// Ids of a text with the tokenizer's template and the begin token in front, which is never doubled.
/// Errors: `tokenizer.*`, `cancelled`.
Result<std::vector<std::int32_t>> textIds(std::string_view text, const tokenizer::Tokenizer& tokenizer,
                                          std::optional<std::int32_t> begin, std::stop_token stop = {});

/// What the decoder of an encoder-decoder begins with: its start token, then `prefix` (its special tokens are
/// known by their text), or without one the token that the checkpoint forces. Nothing for other models.
/// Errors: `tokenizer.*`, `generate.no_decoder` (a prefix for a model that has no encoder).
Result<std::vector<std::int32_t>> decoderBegin(const checkpoint::ModelDescription& description,
                                               const tokenizer::Tokenizer& tokenizer,
                                               std::string_view prefix);

/// Tokens that one prefill step forwards: Model::prefillBlock() halved until a step's logits
/// [tokens, vocabulary] stay within 64 MiB, so that steps stay aligned to the engine's blocks.
int prefillChunk(const Model& model);

/// 16 hex digits (FNV-1a, 64 bits) that tell whether a text is the same. Not cryptographic.
std::string textHash(std::string_view text);

}  // namespace moescope::engine
