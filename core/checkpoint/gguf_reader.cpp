#include "core/checkpoint/gguf_reader.h"

#include <fmt/format.h>

namespace moescope::checkpoint {

namespace {

constexpr int kMaxNesting = 4;

/// Bytes of a type of fixed size; 0 for strings and lists.
std::uint64_t sizeOf(GgufType type) {
  switch (type) {
    case GgufType::U8:
    case GgufType::I8:
    case GgufType::Bool: return 1;
    case GgufType::U16:
    case GgufType::I16: return 2;
    case GgufType::U32:
    case GgufType::I32:
    case GgufType::F32: return 4;
    case GgufType::U64:
    case GgufType::I64:
    case GgufType::F64: return 8;
    case GgufType::String:
    case GgufType::Array: break;
  }
  return 0;
}

Result<GgufType> readType(GgufReader& in, const std::string& where) {
  const auto number = in.number<std::uint32_t>(where);
  if (!number) return fail(number.error());
  if (*number > static_cast<std::uint32_t>(GgufType::F64))
    return in.error("gguf.bad_value_type", where, fmt::format("{} is not a type of the format", *number));
  return static_cast<GgufType>(*number);
}

template <class Stored, class Wide>
Result<GgufValue> readAs(GgufReader& in, const std::string& where) {
  const auto value = in.number<Stored>(where);
  if (!value) return fail(value.error());
  return GgufValue(static_cast<Wide>(*value));
}

template <class Stored, class Wide>
std::vector<Wide> copied(const GgufArray& array) {
  std::vector<Wide> numbers;
  for (std::uint64_t i = 0; i < array.count; ++i) {
    Stored value{};
    std::memcpy(&value, array.bytes.data() + i * sizeof value, sizeof value);
    numbers.push_back(static_cast<Wide>(value));
  }
  return numbers;
}

/// Walks over a list without keeping anything of it.
Result<GgufArray> readArray(GgufReader& in, const std::string& where, int depth) {
  if (depth > kMaxNesting)
    return in.error("gguf.nesting_too_deep", where,
                    fmt::format("lists lie in lists more than {} deep", kMaxNesting));
  const auto type = readType(in, where);
  if (!type) return fail(type.error());
  const auto count = in.number<std::uint64_t>(where);
  if (!count) return fail(count.error());
  // The smallest string is its length, the smallest list its type and length.
  const std::uint64_t fixed = sizeOf(*type);
  const std::uint64_t least = fixed != 0 ? fixed : *type == GgufType::String ? 8 : 12;
  if (*count > in.left() / least)
    return in.error("gguf.bad_count", where, fmt::format("a list of {} does not fit into the file", *count));
  const std::uint64_t begin = in.position();
  if (fixed != 0) {
    if (const auto bytes = in.take(*count * fixed, where); !bytes) return fail(bytes.error());
  }
  for (std::uint64_t i = 0; fixed == 0 && i < *count; ++i) {
    if (*type == GgufType::String) {
      if (const auto text = in.string(where); !text) return fail(text.error());
    } else if (const auto inner = readArray(in, where, depth + 1); !inner) {
      return fail(inner.error());
    }
  }
  return GgufArray{*type, *count, in.all().subspan(begin, in.position() - begin)};
}

}  // namespace

Result<std::span<const std::byte>> GgufReader::take(std::uint64_t count, const std::string& what) {
  if (count > left())
    return error("gguf.truncated", what, fmt::format("needs {} bytes where {} are left", count, left()));
  const auto bytes = m_bytes.subspan(m_position, count);
  m_position += count;
  return bytes;
}

Result<std::string_view> GgufReader::string(const std::string& what) {
  const auto length = number<std::uint64_t>(what);
  if (!length) return fail(length.error());
  const auto bytes = take(*length, what);
  if (!bytes) return fail(bytes.error());
  return std::string_view(reinterpret_cast<const char*>(bytes->data()), bytes->size());
}

tl::unexpected<Error> GgufReader::error(const char* kind, std::string where, std::string message,
                                        std::string advice) const {
  if (advice.empty()) advice = "fetch the file again; if that does not help, it was written wrongly";
  return fail(kind, m_file, std::move(where), std::move(message), std::move(advice));
}

Result<GgufValue> readGgufValue(GgufReader& in, const std::string& where) {
  const auto type = readType(in, where);
  if (!type) return fail(type.error());
  switch (*type) {
    case GgufType::U8: return readAs<std::uint8_t, std::uint64_t>(in, where);
    case GgufType::U16: return readAs<std::uint16_t, std::uint64_t>(in, where);
    case GgufType::U32: return readAs<std::uint32_t, std::uint64_t>(in, where);
    case GgufType::U64: return readAs<std::uint64_t, std::uint64_t>(in, where);
    case GgufType::I8: return readAs<std::int8_t, std::int64_t>(in, where);
    case GgufType::I16: return readAs<std::int16_t, std::int64_t>(in, where);
    case GgufType::I32: return readAs<std::int32_t, std::int64_t>(in, where);
    case GgufType::I64: return readAs<std::int64_t, std::int64_t>(in, where);
    case GgufType::F32: return readAs<float, double>(in, where);
    case GgufType::F64: return readAs<double, double>(in, where);
    case GgufType::Bool: {
      const auto value = in.number<std::uint8_t>(where);
      if (!value) return fail(value.error());
      if (*value > 1) return in.error("gguf.bad_value_type", where, "is neither true nor false");
      return GgufValue(*value == 1);
    }
    case GgufType::String: {
      const auto text = in.string(where);
      if (!text) return fail(text.error());
      return GgufValue(*text);
    }
    case GgufType::Array: break;
  }
  const auto array = readArray(in, where, 1);
  if (!array) return fail(array.error());
  return GgufValue(*array);
}

std::vector<std::int64_t> wholeNumbers(const GgufArray& array, std::size_t most) {
  if (array.count > most) return {};
  switch (array.type) {
    case GgufType::U32: return copied<std::uint32_t, std::int64_t>(array);
    case GgufType::I32: return copied<std::int32_t, std::int64_t>(array);
    case GgufType::U64: return copied<std::uint64_t, std::int64_t>(array);
    case GgufType::I64: return copied<std::int64_t, std::int64_t>(array);
    default: return {};
  }
}

std::vector<double> realNumbers(const GgufArray& array, std::size_t most) {
  if (array.count > most) return {};
  if (array.type == GgufType::F32) return copied<float, double>(array);
  return array.type == GgufType::F64 ? copied<double, double>(array) : std::vector<double>{};
}

std::vector<std::string_view> texts(const GgufArray& array) {
  if (array.type != GgufType::String) return {};
  std::vector<std::string_view> result;
  std::span<const std::byte> left = array.bytes;
  for (std::uint64_t i = 0; i < array.count; ++i) {
    std::uint64_t size = 0;
    std::memcpy(&size, left.data(), sizeof size);
    left = left.subspan(sizeof size);
    result.emplace_back(reinterpret_cast<const char*>(left.data()), static_cast<std::size_t>(size));
    left = left.subspan(static_cast<std::size_t>(size));
  }
  return result;
}

}  // namespace moescope::checkpoint
