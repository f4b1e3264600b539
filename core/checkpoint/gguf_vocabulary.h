// The tokenizer and the chat template in a GGUF file's metadata (keys: ggml's docs/gguf.md). Not for making a
// tokenizer of them, which core/tokenizer does.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/base/stored_vocabulary.h"
#include "core/checkpoint/gguf_file.h"

namespace moescope::checkpoint {

class Checkpoint;

/// Lists are as long as the list of tokens and hold what they must; ids are in range. Errors:
/// `gguf.missing_key`, `gguf.wrong_type`, `gguf.unsupported_value` for an id, a type or a text that is none.
Result<StoredVocabulary> readGgufVocabulary(const GgufFile& file, const std::string& displayName);

/// True where the folder of a GGUF checkpoint has no tokenizer of its own, so that the file's counts.
bool usesStoredVocabulary(const Checkpoint& checkpoint);

/// The same from the file of a checkpoint. Errors: as readGgufVocabulary, `gguf.*`, `file.*`.
Result<StoredVocabulary> storedVocabulary(const Checkpoint& checkpoint);

}  // namespace moescope::checkpoint
