#include "core/checkpoint/safetensors.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "core/base/strict_json.h"
#include "core/checkpoint/shown_text.h"

namespace moescope::checkpoint {

namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the reference reader's limit
constexpr std::size_t kMaxRank = 8;
constexpr std::size_t kMaxTensors = 1'000'000;
constexpr std::size_t kLengthBytes = 8;
constexpr auto kAdvice = "fetch the file again; if that does not help, it was written wrongly";

struct Entry {
  TensorView view;
  std::uint64_t begin = 0, end = 0;
};

std::optional<DType> dtypeFrom(const std::string& word) {
  for (const auto dtype : {DType::F32, DType::F16, DType::BF16, DType::F64, DType::I64, DType::I32,
                           DType::I16, DType::I8, DType::U8, DType::Bool, DType::F8E4M3}) {
    if (word == name(dtype)) return dtype;
  }
  return std::nullopt;
}

class HeaderReader {
 public:
  HeaderReader(std::string file, std::span<const std::byte> data) : m_file(std::move(file)), m_data(data) {}

  Result<std::vector<Entry>> readEntries(const json& header) const {
    if (header.size() > kMaxTensors) {
      return error("safetensors.bad_entry", "",
                   std::to_string(header.size()) + " tensors are more than a model has");
    }
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
      if (name == "__metadata__") continue;
      auto entry = readEntry(name, value);
      if (!entry) return fail(entry.error());
      entries.push_back(*std::move(entry));
    }
    return entries;
  }

  // Entries must lie one after the other from 0 to the end: holes would allow polyglot files, overlaps
  // small files that expand.
  Result<void> checkLayout(std::vector<Entry>& entries) const {
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    std::uint64_t expected = 0;
    for (const Entry& entry : entries) {
      const std::string where = "tensor " + shown(entry.view.name);
      if (entry.begin < expected)
        return error("safetensors.overlap", where, "shares bytes with another tensor");
      if (entry.begin > expected) {
        return error("safetensors.hole", where,
                     std::to_string(entry.begin - expected) + " bytes before it belong to no tensor");
      }
      expected = entry.end;
    }
    if (expected > m_data.size()) {
      return error("safetensors.truncated", "",
                   "ends " + std::to_string(expected - m_data.size()) + " bytes early");
    }
    if (expected < m_data.size()) {
      return error("safetensors.trailing_bytes", "byte " + std::to_string(expected) + " of the data",
                   std::to_string(m_data.size() - expected) + " bytes after the last tensor");
    }
    return {};
  }

  Result<std::map<std::string, std::string>> readMetadata(const json& header) const {
    std::map<std::string, std::string> metadata;
    const auto found = header.find("__metadata__");
    if (found == header.end()) return metadata;
    if (!found->is_object())
      return error("safetensors.bad_metadata", "__metadata__", "is not an object of strings");
    for (const auto& [key, value] : found->items()) {
      if (!value.is_string())
        return error("safetensors.bad_metadata", "__metadata__." + shown(key), "is not a string");
      metadata[key] = value.get<std::string>();
    }
    return metadata;
  }

 private:
  tl::unexpected<Error> error(const char* kind, std::string where, std::string message) const {
    return fail(kind, m_file, std::move(where), std::move(message), kAdvice);
  }

  Result<Entry> readEntry(const std::string& name, const json& value) const {
    const std::string where = "tensor " + shown(name);
    if (name.empty() || name.find('\0') != std::string::npos) {
      return error("safetensors.bad_entry", where, "the name is empty or holds a NUL");
    }
    if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
        !value.contains("data_offsets")) {
      return error("safetensors.bad_entry", where, "does not have exactly dtype, shape and data_offsets");
    }
    if (!value["dtype"].is_string() || !value["shape"].is_array() || !value["data_offsets"].is_array() ||
        value["data_offsets"].size() != 2) {
      return error("safetensors.bad_entry", where, "dtype, shape or data_offsets has the wrong type");
    }
    if (value["shape"].size() > kMaxRank) {
      return error("safetensors.rank_too_high", where,
                   "has " + std::to_string(value["shape"].size()) + " dimensions, at most " +
                       std::to_string(kMaxRank));
    }
    for (const auto* list : {&value["shape"], &value["data_offsets"]}) {
      for (const auto& number : *list) {
        if (!number.is_number_unsigned()) {
          return error("safetensors.bad_number", where, shownValue(number) + " is not a whole number from 0");
        }
      }
    }
    const auto dtype = dtypeFrom(value["dtype"].get_ref<const std::string&>());
    if (!dtype) {
      return error("safetensors.unknown_dtype", where,
                   "the dtype " + shownValue(value["dtype"]) + " is not one that MoEScope reads");
    }
    return measureEntry(name, *dtype, value, where);
  }

  // From here on every number is a whole one and the rank is small.
  Result<Entry> measureEntry(const std::string& name, DType dtype, const json& value,
                             const std::string& where) const {
    Entry entry;
    entry.view.name = name;
    entry.view.dtype = dtype;
    std::uint64_t bytes = bytesPerElement(dtype);
    for (const auto& number : value["shape"]) {
      const auto size = number.get<std::uint64_t>();
      if (__builtin_mul_overflow(bytes, size, &bytes) || bytes > static_cast<std::uint64_t>(INT64_MAX)) {
        return error("safetensors.shape_overflow", where, "the shape is larger than 63 bits can count");
      }
      entry.view.shape.push_back(static_cast<std::int64_t>(size));
    }
    entry.begin = value["data_offsets"][0].get<std::uint64_t>();
    entry.end = value["data_offsets"][1].get<std::uint64_t>();
    if (entry.end < entry.begin)
      return error("safetensors.offset_out_of_range", where, "ends before it begins");
    if (entry.end - entry.begin != bytes) {
      if (entry.end > m_data.size()) {
        return error("safetensors.offset_out_of_range", where,
                     "ends " + std::to_string(entry.end - m_data.size()) + " bytes past the end of the file");
      }
      return error("safetensors.size_mismatch", where,
                   "the shape needs " + std::to_string(bytes) + " bytes, the entry has " +
                       std::to_string(entry.end - entry.begin));
    }
    return entry;
  }

  std::string m_file;
  std::span<const std::byte> m_data;
};

tl::unexpected<Error> headerError(const std::string& file, const JsonError& error) {
  const char* kind = "safetensors.header_not_json";
  switch (error.fault) {
    case JsonFault::TooLarge: kind = "safetensors.header_too_large"; break;
    case JsonFault::NotUtf8: kind = "safetensors.header_not_utf8"; break;
    case JsonFault::TooDeep: kind = "safetensors.nesting_too_deep"; break;
    case JsonFault::DuplicateKey: kind = "safetensors.duplicate_key"; break;
    case JsonFault::Syntax: break;
  }
  return fail(kind, file, "header, " + shown(error.where), shown(error.message), kAdvice);
}

/// The header text, after the checks that need no parser.
Result<std::string_view> headerText(std::span<const std::byte> bytes, const std::string& file) {
  if (bytes.size() < kLengthBytes) {
    return fail("safetensors.too_short", file, std::to_string(bytes.size()) + " bytes",
                "is too short for a safetensors file", kAdvice);
  }
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  const std::string where = "header length " + std::to_string(length);
  if (length > kMaxHeaderBytes) {
    return fail("safetensors.header_too_large", file, where, "the header may have at most 100 MB", kAdvice);
  }
  if (length > bytes.size() - kLengthBytes) {
    return fail("safetensors.header_exceeds_file", file, where, "the header ends after the end of the file",
                kAdvice);
  }
  return std::string_view(reinterpret_cast<const char*>(bytes.data()) + kLengthBytes, length);
}

}  // namespace

Result<SafetensorsFile> openSafetensors(const std::filesystem::path& path, const std::string& displayName) {
  auto mapped = MappedFile::open(path);
  if (!mapped) {
    Error error = mapped.error();
    error.file = displayName;
    return fail(std::move(error));
  }
  const auto bytes = (*mapped)->bytes();
  const auto text = headerText(bytes, displayName);
  if (!text) return fail(text.error());
  const auto header = parseStrictJson(*text, {.maxDepth = 16, .maxBytes = kMaxHeaderBytes});
  if (!header) return headerError(displayName, header.error());
  if (!header->is_object() || text->front() != '{') {
    return fail("safetensors.header_not_object", displayName, "header", "is not a JSON object", kAdvice);
  }
  const auto data = bytes.subspan(kLengthBytes + text->size());
  HeaderReader reader(displayName, data);
  auto metadata = reader.readMetadata(*header);
  if (!metadata) return fail(metadata.error());
  auto entries = reader.readEntries(*header);
  if (!entries) return fail(entries.error());
  if (auto layout = reader.checkLayout(*entries); !layout) return fail(layout.error());

  SafetensorsFile result{*mapped, {}, *std::move(metadata), text->size()};
  for (Entry& entry : *entries) {
    entry.view.bytes = data.subspan(entry.begin, entry.end - entry.begin);
    result.tensors.emplace(entry.view.name, std::move(entry.view));
  }
  return result;
}

}  // namespace moescope::checkpoint
