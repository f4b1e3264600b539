#include "core/checkpoint/gguf_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "core/base/strict_json.h"
#include "core/checkpoint/gguf_reader.h"
#include "core/checkpoint/shown_text.h"

namespace moescope::checkpoint {

namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::uint32_t kVersion = 3;
constexpr std::uint64_t kMaxTensors = 1'000'000;
constexpr std::uint64_t kMaxKeys = 100'000;
constexpr std::uint64_t kMaxKeyBytes = 65535;      // the format's limit
constexpr std::uint64_t kMaxTensorNameBytes = 64;  // the format's limit
constexpr std::uint32_t kMaxAxes = 4;
constexpr std::uint64_t kMaxAlignment = 1U << 20;
constexpr std::uint64_t kSmallestKey = 8 + 4 + 1;             // length, type, one byte
constexpr std::uint64_t kSmallestTensor = 8 + 4 + 8 + 4 + 8;  // name, axes, one extent, type, offset

/// The numbers of ggml's tensor types. What MoEScope does not read has no dtype.
struct StoredType {
  std::uint32_t number;
  std::string_view name;
  std::optional<DType> dtype;
};
constexpr std::array kStoredTypes{
    StoredType{0, "F32", DType::F32},    StoredType{1, "F16", DType::F16},
    StoredType{2, "Q4_0", DType::Q4_0},  StoredType{3, "Q4_1", {}},
    StoredType{6, "Q5_0", DType::Q5_0},  StoredType{7, "Q5_1", {}},
    StoredType{8, "Q8_0", DType::Q8_0},  StoredType{9, "Q8_1", {}},
    StoredType{10, "Q2_K", {}},          StoredType{11, "Q3_K", {}},
    StoredType{12, "Q4_K", DType::Q4_K}, StoredType{13, "Q5_K", DType::Q5_K},
    StoredType{14, "Q6_K", DType::Q6_K}, StoredType{15, "Q8_K", {}},
    StoredType{16, "IQ2_XXS", {}},       StoredType{17, "IQ2_XS", {}},
    StoredType{18, "IQ3_XXS", {}},       StoredType{19, "IQ1_S", {}},
    StoredType{20, "IQ4_NL", {}},        StoredType{21, "IQ3_S", {}},
    StoredType{22, "IQ2_S", {}},         StoredType{23, "IQ4_XS", {}},
    StoredType{24, "I8", DType::I8},     StoredType{25, "I16", DType::I16},
    StoredType{26, "I32", DType::I32},   StoredType{27, "I64", DType::I64},
    StoredType{28, "F64", DType::F64},   StoredType{29, "IQ1_M", {}},
    StoredType{30, "BF16", DType::BF16}, StoredType{34, "TQ1_0", {}},
    StoredType{35, "TQ2_0", {}},         StoredType{39, "MXFP4", DType::BlockMxfp4},
    StoredType{40, "NVFP4", {}},
};

struct Entry {
  TensorView view;
  std::uint64_t offset = 0, bytes = 0;  ///< in the data
};

class HeaderReader {
 public:
  HeaderReader(const std::string& file, std::span<const std::byte> bytes) : m_in(file, bytes) {}

  Result<GgufFile> read() {
    GgufFile result;
    std::uint64_t tensors = 0;
    std::uint64_t keys = 0;
    if (auto ok = readStart(tensors, keys); !ok) return fail(ok.error());
    for (std::uint64_t i = 0; i < keys; ++i) {
      if (auto ok = readKey(result.metadata); !ok) return fail(ok.error());
    }
    const auto alignment = alignmentOf(result.metadata);
    if (!alignment) return fail(alignment.error());
    std::vector<Entry> entries;
    for (std::uint64_t i = 0; i < tensors; ++i) {
      auto entry = readEntry(*alignment);
      if (!entry) return fail(entry.error());
      entries.push_back(*std::move(entry));
    }
    const std::uint64_t begin = (m_in.position() + *alignment - 1) / *alignment * *alignment;
    const auto all = m_in.all();
    const auto data = all.subspan(std::min<std::uint64_t>(begin, all.size()));
    if (auto ok = checkLayout(entries, data.size(), *alignment); !ok) return fail(ok.error());
    result.headerBytes = all.size() - data.size();
    for (Entry& entry : entries) {
      entry.view.bytes = data.subspan(entry.offset, entry.bytes);
      const std::string where = "tensor " + shown(entry.view.name);
      const std::string name = entry.view.name;
      if (!result.tensors.emplace(name, std::move(entry.view)).second)
        return m_in.error("gguf.duplicate_tensor", where, "is there twice");
    }
    return result;
  }

 private:
  Result<void> readStart(std::uint64_t& tensors, std::uint64_t& keys) {
    const auto magic = m_in.take(kMagic.size(), "the magic word");
    if (!magic) return fail(magic.error());
    if (std::memcmp(magic->data(), kMagic.data(), kMagic.size()) != 0)
      return m_in.error("gguf.not_gguf", "byte 0", "does not begin with GGUF");
    const auto version = m_in.number<std::uint32_t>("the version");
    if (!version) return fail(version.error());
    if (*version != kVersion) {
      const bool isBig = *version == kVersion << 24U;
      return m_in.error("gguf.unsupported_version", "version",
                        isBig ? "is written big-endian" : fmt::format("is {}, not {}", *version, kVersion),
                        "convert the model again with a current llama.cpp");
    }
    const auto tensorCount = m_in.number<std::uint64_t>("the number of tensors");
    if (!tensorCount) return fail(tensorCount.error());
    const auto keyCount = m_in.number<std::uint64_t>("the number of keys");
    if (!keyCount) return fail(keyCount.error());
    if (*tensorCount > kMaxTensors || *tensorCount > m_in.left() / kSmallestTensor)
      return m_in.error("gguf.bad_count", "number of tensors",
                        fmt::format("{} tensors do not fit into the file", *tensorCount));
    if (*keyCount > kMaxKeys || *keyCount > m_in.left() / kSmallestKey)
      return m_in.error("gguf.bad_count", "number of keys",
                        fmt::format("{} keys do not fit into the file", *keyCount));
    tensors = *tensorCount;
    keys = *keyCount;
    return {};
  }

  /// A name of the file: not empty, not too long, text.
  Result<std::string> readName(const std::string& what, std::uint64_t most) {
    const auto name = m_in.string(what);
    if (!name) return fail(name.error());
    if (name->empty() || name->size() > most || !isValidUtf8(*name) ||
        name->find('\0') != std::string_view::npos) {
      return m_in.error("gguf.bad_name", what,
                        fmt::format("is empty, longer than {} bytes, or not UTF-8", most));
    }
    return std::string(*name);
  }

  Result<void> readKey(std::map<std::string, GgufValue, std::less<>>& metadata) {
    auto key = readName(fmt::format("key {}", metadata.size()), kMaxKeyBytes);
    if (!key) return fail(key.error());
    const std::string where = "key " + shown(*key);
    auto value = readGgufValue(m_in, where);
    if (!value) return fail(value.error());
    if (!metadata.emplace(*key, *value).second)
      return m_in.error("gguf.duplicate_key", where, "is there twice");
    return {};
  }

  Result<std::uint64_t> alignmentOf(const std::map<std::string, GgufValue, std::less<>>& metadata) const {
    const auto found = metadata.find("general.alignment");
    if (found == metadata.end()) return 32U;
    const auto* number = std::get_if<std::uint64_t>(&found->second);
    if (number == nullptr || *number == 0 || *number % 8 != 0 || *number > kMaxAlignment)
      return m_in.error("gguf.bad_alignment", "key general.alignment",
                        fmt::format("is not a multiple of 8 up to {}", kMaxAlignment));
    return *number;
  }

  Result<Entry> readEntry(std::uint64_t alignment) {
    auto name = readName(fmt::format("tensor at byte {}", m_in.position()), kMaxTensorNameBytes);
    if (!name) return fail(name.error());
    const std::string where = "tensor " + shown(*name);
    Entry entry;
    entry.view.name = *std::move(name);
    const auto axes = m_in.number<std::uint32_t>(where);
    if (!axes) return fail(axes.error());
    if (*axes == 0 || *axes > kMaxAxes)
      return m_in.error("gguf.bad_shape", where, fmt::format("has {} axes, not 1 to {}", *axes, kMaxAxes));
    std::uint64_t elements = 1;
    for (std::uint32_t axis = 0; axis < *axes; ++axis) {
      const auto extent = m_in.number<std::uint64_t>(where);
      if (!extent) return fail(extent.error());
      if (*extent == 0 || __builtin_mul_overflow(elements, *extent, &elements) ||
          elements > static_cast<std::uint64_t>(INT64_MAX) / 8)
        return m_in.error("gguf.bad_shape", where,
                          "an axis is empty, or the shape is larger than can be counted");
      entry.view.shape.insert(entry.view.shape.begin(), static_cast<std::int64_t>(*extent));
    }
    const auto type = m_in.number<std::uint32_t>(where);
    if (!type) return fail(type.error());
    const auto offset = m_in.number<std::uint64_t>(where);
    if (!offset) return fail(offset.error());
    if (auto ok = setType(entry, *type, elements, where); !ok) return fail(ok.error());
    if (*offset % alignment != 0)
      return m_in.error("gguf.bad_offset", where,
                        fmt::format("begins at byte {}, no multiple of {}", *offset, alignment));
    entry.offset = *offset;
    return entry;
  }

  Result<void> setType(Entry& entry, std::uint32_t number, std::uint64_t elements,
                       const std::string& where) const {
    const auto* const type = std::find_if(kStoredTypes.begin(), kStoredTypes.end(),
                                          [number](const StoredType& each) { return each.number == number; });
    if (type == kStoredTypes.end() || !type->dtype) {
      return m_in.error("gguf.unsupported_type", where,
                        type == kStoredTypes.end()
                            ? fmt::format("is stored as type {}, which MoEScope does not know", number)
                            : fmt::format("is stored as {}, which MoEScope does not read", type->name),
                        "use a file in F16, BF16, Q8_0, Q4_0, Q4_K_M or Q6_K");
    }
    entry.view.dtype = *type->dtype;
    const BlockSize block = blockSize(*type->dtype);
    if (entry.view.shape.back() % block.elements != 0)
      return m_in.error("gguf.bad_shape", where,
                        fmt::format("has rows of {}, which blocks of {} do not divide",
                                    entry.view.shape.back(), block.elements));
    // No overflow: a block has at most 8 bytes an element, and elements * 8 fits.
    entry.bytes =
        elements / static_cast<std::uint64_t>(block.elements) * static_cast<std::uint64_t>(block.bytes);
    return {};
  }

  /// One after the other from 0 to the end, with nothing but padding between: holes would allow files that
  /// are two things at once, overlaps small files that expand.
  Result<void> checkLayout(std::vector<Entry>& entries, std::uint64_t size, std::uint64_t alignment) const {
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return std::pair(a.offset, a.bytes) < std::pair(b.offset, b.bytes);
    });
    std::uint64_t end = 0;
    const auto padded = [alignment](std::uint64_t at) {
      return (at + alignment - 1) / alignment * alignment;
    };
    for (const Entry& entry : entries) {
      const std::string where = "tensor " + shown(entry.view.name);
      if (entry.offset < end) return m_in.error("gguf.overlap", where, "shares bytes with another tensor");
      if (entry.offset > size || entry.bytes > size - entry.offset)
        return m_in.error("gguf.truncated", where, "ends after the end of the file");
      if (entry.offset != padded(end))
        return m_in.error("gguf.hole", where,
                          fmt::format("{} bytes before it belong to no tensor", entry.offset - padded(end)));
      end = entry.offset + entry.bytes;
    }
    if (size > padded(end))
      return m_in.error("gguf.trailing_bytes", fmt::format("byte {} of the data", padded(end)),
                        fmt::format("{} bytes after the last tensor", size - padded(end)));
    return {};
  }

  GgufReader m_in;
};

}  // namespace

Result<GgufFile> readGguf(std::span<const std::byte> bytes, const std::string& displayName) {
  return HeaderReader(displayName, bytes).read();
}

Result<GgufFile> openGgufFile(const std::filesystem::path& path, const std::string& displayName) {
  auto mapped = MappedFile::open(path);
  if (!mapped) {
    Error error = mapped.error();
    error.file = displayName;
    return fail(std::move(error));
  }
  auto result = readGguf((*mapped)->bytes(), displayName);
  if (result) result->file = *std::move(mapped);
  return result;
}

}  // namespace moescope::checkpoint
