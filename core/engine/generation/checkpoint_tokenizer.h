// The tokenizer and the chat template of a checkpoint, wherever they are kept. Not for tokenizers alone
// (core/tokenizer).
#pragma once

#include <memory>

#include "core/base/result.h"
#include "core/chat/chat_template.h"
#include "core/checkpoint/checkpoint.h"
#include "core/tokenizer/tokenizer.h"

namespace moescope::engine {

/// From the files beside the weights, else from the metadata of the GGUF file. Errors: `tokenizer.*`,
/// `gguf.*`, `file.*`.
Result<std::shared_ptr<const tokenizer::Tokenizer>> openTokenizer(const checkpoint::Checkpoint& checkpoint);

/// From the files beside the weights, else from the metadata of the GGUF file. Errors: `chat.*`
/// (`chat.missing` where there is none), `gguf.*`, `file.*`.
Result<chat::ChatTemplate> openTemplate(const checkpoint::Checkpoint& checkpoint);

}  // namespace moescope::engine
