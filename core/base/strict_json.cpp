#include "core/base/strict_json.h"

#include <vector>

#include "core/base/shown_text.h"

namespace moescope {

namespace {

using nlohmann::json;

// Builds the document from parser events, so that depth and keys are checked before memory is spent.
class StrictBuilder final : public nlohmann::json_sax<json> {
 public:
  explicit StrictBuilder(const JsonLimits& limits) : m_limits(limits) {}

  bool null() override { return add(json(nullptr)); }
  bool boolean(bool value) override { return add(json(value)); }
  bool number_integer(number_integer_t value) override { return add(json(value)); }
  bool number_unsigned(number_unsigned_t value) override { return add(json(value)); }
  bool number_float(number_float_t value, const string_t&) override { return add(json(value)); }
  bool string(string_t& value) override { return add(json(std::move(value))); }
  bool binary(binary_t&) override { return false; }

  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& value) override {
    if (m_open.back()->contains(value)) {
      return stop(JsonFault::DuplicateKey, "key " + shown(value), "the key stands twice in one object");
    }
    m_key = std::move(value);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const json::exception& error) override {
    std::string text = error.what();
    // The library's text starts with an id and repeats the position.
    if (const auto colon = text.find(": "); colon != std::string::npos) text.erase(0, colon + 2);
    return stop(JsonFault::Syntax, "byte " + std::to_string(position), std::move(text));
  }

  json document;
  std::vector<JsonError> errors;

 private:
  bool stop(JsonFault fault, std::string where, std::string message) {
    errors.push_back({fault, std::move(where), std::move(message)});
    return false;
  }

  json* place(json value) {
    if (m_open.empty()) {
      document = std::move(value);
      return &document;
    }
    json& parent = *m_open.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[m_key] = std::move(value));
  }

  bool add(json value) {
    place(std::move(value));
    return true;
  }

  bool open(json container) {
    if (m_open.size() >= m_limits.maxDepth) {
      return stop(JsonFault::TooDeep, "depth " + std::to_string(m_open.size() + 1),
                  "nested deeper than " + std::to_string(m_limits.maxDepth) + " levels");
    }
    m_open.push_back(place(std::move(container)));
    return true;
  }

  bool close() {
    m_open.pop_back();
    return true;
  }

  const JsonLimits& m_limits;
  std::vector<json*> m_open;
  std::string m_key;
};

// Length of the well-formed sequence at `at` (Unicode 15, table 3-7), 0 if there is none.
std::size_t utf8SequenceLength(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const auto continues = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : 0xBF;
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned low = lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;
    return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

bool isValidUtf8(std::string_view text, std::size_t* badByte) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8SequenceLength(text, at);
    if (length == 0) {
      if (badByte != nullptr) *badByte = at;
      return false;
    }
    at += length;
  }
  return true;
}

tl::expected<nlohmann::json, JsonError> parseStrictJson(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.maxBytes) {
    return tl::unexpected(JsonError{JsonFault::TooLarge, std::to_string(text.size()) + " bytes",
                                    "larger than " + std::to_string(limits.maxBytes) + " bytes"});
  }
  std::size_t badByte = 0;
  if (!isValidUtf8(text, &badByte)) {
    return tl::unexpected(JsonError{JsonFault::NotUtf8, "byte " + std::to_string(badByte), "not UTF-8"});
  }
  StrictBuilder builder(limits);
  const bool done = json::sax_parse(text.begin(), text.end(), &builder);
  if (!builder.errors.empty()) return tl::unexpected(builder.errors.front());
  if (!done) return tl::unexpected(JsonError{JsonFault::Syntax, "", "not a JSON document"});
  return std::move(builder.document);
}

}  // namespace moescope
