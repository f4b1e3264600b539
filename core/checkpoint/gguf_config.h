// The metadata of a GGUF file as the config.json that it stands for, so that a family's own reader describes
// the model. Not for tensors' bytes; only their names and shapes are looked at.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/checkpoint/family.h"
#include "core/checkpoint/gguf_file.h"

namespace moescope::checkpoint {

/// A ModelDescription as Checkpoint needs it before the weights are mapped. What the metadata leaves out is
/// what llama.cpp takes for the architecture; where llama.cpp has no say (which layers have experts, biases,
/// a head of its own) the tensors decide. Errors: `gguf.missing_key`, `gguf.wrong_type`,
/// `gguf.unsupported_architecture`, `gguf.unsupported_value`, `gguf.no_experts`, `gguf.split`, `config.*`.
Result<ModelDescription> describeGguf(const GgufFile& file, const std::string& displayName,
                                      Definition definition);

/// How the file names the tensors of the model that it was described as.
Result<const NameMap*> ggufNames(const GgufFile& file, const std::string& displayName,
                                 const ModelDescription& description);

}  // namespace moescope::checkpoint
