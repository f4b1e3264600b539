// Reader of one GGUF file, version 3: metadata and tensors (format: ggml's docs/gguf.md; models.md section 9
// of the design). Not for what keys and names mean (gguf_model.h), and not a writer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/mapped_file.h"
#include "core/base/result.h"
#include "core/checkpoint/tensor_view.h"

namespace moescope::checkpoint {

enum class GgufType : std::uint32_t { U8, I8, U16, I16, U32, I32, F32, Bool, String, Array, U64, I64, F64 };

/// A checked list, still as it is in the file.
struct GgufArray {
  GgufType type = GgufType::U8;  ///< of the elements
  std::uint64_t count = 0;
  std::span<const std::byte> bytes;
};

/// Strings borrow from the file and may hold any bytes.
using GgufValue = std::variant<std::uint64_t, std::int64_t, double, bool, std::string_view, GgufArray>;

/// Whole numbers of a list; empty if it holds something else or more than `most`.
std::vector<std::int64_t> wholeNumbers(const GgufArray& array, std::size_t most);
/// The same of a list of F32 or F64.
std::vector<double> realNumbers(const GgufArray& array, std::size_t most);
/// The texts of a list of strings, which borrow from the file; empty if it holds something else.
std::vector<std::string_view> texts(const GgufArray& array);

struct GgufFile {
  std::shared_ptr<const MappedFile> file;
  std::map<std::string, GgufValue, std::less<>> metadata;
  std::map<std::string, TensorView>
      tensors;                  ///< views into `file`; shapes slowest axis first, as torch counts
  std::size_t headerBytes = 0;  ///< up to the first tensor's bytes
};

/// Checks the bytes of a file, to which the result points; `file` stays empty. Errors: `gguf.*`.
Result<GgufFile> readGguf(std::span<const std::byte> bytes, const std::string& displayName);

/// Maps and checks a file: every length lies inside it, tensors follow one another without holes or overlap,
/// no key and no name is there twice. Memory is bounded by the size of the file. `displayName` is used in
/// errors. Errors: `gguf.*`, `file.*`.
Result<GgufFile> openGgufFile(const std::filesystem::path& path, const std::string& displayName);

}  // namespace moescope::checkpoint
