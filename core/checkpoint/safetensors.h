// Reader of one safetensors file (format rules: models.md section 8 of the design). Not a writer.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/mapped_file.h"
#include "core/base/result.h"
#include "core/checkpoint/tensor_view.h"

namespace moescope::checkpoint {

struct SafetensorsFile {
  std::shared_ptr<const MappedFile> file;
  std::map<std::string, TensorView> tensors;    ///< views into `file`
  std::map<std::string, std::string> metadata;  ///< `__metadata__`
  std::size_t headerBytes = 0;
};

/// Maps and checks a file. `displayName` is used in errors. Errors: `safetensors.*`, `file.*`.
Result<SafetensorsFile> openSafetensors(const std::filesystem::path& path, const std::string& displayName);

}  // namespace moescope::checkpoint
