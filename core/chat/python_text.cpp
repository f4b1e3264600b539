#include "core/chat/python_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <utf8proc.h>

#include "core/chat/characters.h"

namespace moescope::chat {

namespace {

/// Shortest digits that read back, without exponent from 1e-4 to 1e16.
std::string floatText(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[64];
  const auto written = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<std::size_t>(written.ptr - buffer));
  const auto mark = text.find('e');
  const int exponent = std::atoi(std::string(text.substr(mark + 1)).c_str());
  if (exponent < -4 || exponent >= 16) {
    return fmt::format("{}e{}{:02}", text.substr(0, mark), exponent < 0 ? '-' : '+', std::abs(exponent));
  }
  const auto plain = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::fixed);
  std::string result(buffer, plain.ptr);
  return result.find('.') == std::string::npos ? result + ".0" : result;
}

std::string quotedText(std::string_view text) {
  const bool doubled = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = doubled ? '"' : '\'';
  std::string result(1, quote);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '\r') {
      result += "\\r";
    } else if (c == '\t') {
      result += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  return result += quote;
}

class Writer {
 public:
  explicit Writer(Budget& budget) : m_budget(budget) {}

  std::string take() {
    m_budget.made(m_text.size());
    return std::move(m_text);
  }

  void repr(const Value& value) {
    m_budget.step();
    m_budget.output(m_text.size());
    if (const std::string* text = value.text()) {
      m_text += quotedText(*text);
    } else if (const Sequence* sequence = value.sequence()) {
      reprItems(*sequence);
    } else if (const Dict* dict = value.dict()) {
      reprDict(*dict);
    } else {
      m_text += scalar(value);
    }
  }

  static std::string scalar(const Value& value) {
    if (value.isUndefined()) return "";
    if (value.isNone()) return "None";
    if (value.is<bool>()) return value.as<bool>() ? "True" : "False";
    if (value.is<std::int64_t>()) return fmt::format("{}", value.as<std::int64_t>());
    if (value.is<double>()) return floatText(value.as<double>());
    return std::string("<") + value.typeName() + ">";
  }

 private:
  void reprItems(const Sequence& sequence) {
    m_text += sequence.tuple ? '(' : '[';
    for (std::size_t i = 0; i < sequence.items.size(); ++i) {
      if (i > 0) m_text += ", ";
      repr(sequence.items[i]);
    }
    if (sequence.tuple && sequence.items.size() == 1) m_text += ',';
    m_text += sequence.tuple ? ')' : ']';
  }

  void reprDict(const Dict& dict) {
    if (dict.isNamespace) {  // may hold itself
      m_text += "<Namespace>";
      return;
    }
    m_text += '{';
    for (std::size_t i = 0; i < dict.entries.size(); ++i) {
      if (i > 0) m_text += ", ";
      repr(dict.entries[i].first);
      m_text += ": ";
      repr(dict.entries[i].second);
    }
    m_text += '}';
  }

  Budget& m_budget;
  std::string m_text;
};

class JsonWriter {
 public:
  JsonWriter(const JsonStyle& style, Budget& budget) : m_style(style), m_budget(budget) {}

  std::string take() {
    m_budget.made(m_text.size());
    return std::move(m_text);
  }

  void write(const Value& value, int level) {
    m_budget.step();
    m_budget.output(m_text.size());
    if (const std::string* text = value.text()) {
      string(*text);
    } else if (const Sequence* sequence = value.sequence()) {
      const auto& items = sequence->items;
      open('[', items.empty());
      for (std::size_t i = 0; i < items.size(); ++i) {
        next(i, level);
        write(items[i], level + 1);
      }
      close(']', items.empty(), level);
    } else if (const Dict* dict = value.dict(); dict != nullptr && !dict->isNamespace) {
      object(*dict, level);
    } else {
      m_text += scalar(value);
    }
  }

 private:
  static std::string scalar(const Value& value) {
    if (value.isNone()) return "null";
    if (value.is<bool>()) return value.as<bool>() ? "true" : "false";
    if (!value.isNumber()) failed(std::string("JSON has no word for ") + value.typeName());
    const std::string text = Writer::scalar(value);
    return text == "nan" ? "NaN" : text == "inf" ? "Infinity" : text == "-inf" ? "-Infinity" : text;
  }

  void object(const Dict& dict, int level) {
    std::vector<std::pair<std::string, const Value*>> entries;
    for (const auto& [key, value] : dict.entries) {
      entries.emplace_back(key.text() != nullptr ? *key.text() : scalar(key), &value);
    }
    if (m_style.sortKeys) std::stable_sort(entries.begin(), entries.end());
    open('{', entries.empty());
    for (std::size_t i = 0; i < entries.size(); ++i) {
      next(i, level);
      string(entries[i].first);
      m_text += m_style.keySeparator;
      write(*entries[i].second, level + 1);
    }
    close('}', entries.empty(), level);
  }

  void open(char bracket, bool) { m_text += bracket; }
  void next(std::size_t index, int level) {
    // With an indent, Python leaves out the space behind the comma.
    if (index > 0)
      m_text += m_style.indent < 0 || m_style.itemSeparator != ", " ? m_style.itemSeparator : ",";
    if (m_style.indent >= 0) newLine(level + 1);
  }
  void close(char bracket, bool empty, int level) {
    if (m_style.indent >= 0 && !empty) newLine(level);
    m_text += bracket;
  }
  void newLine(int level) {
    m_text += '\n';
    m_text.append(static_cast<std::size_t>(level) * static_cast<std::size_t>(m_style.indent), ' ');
  }

  void string(std::string_view text) {
    m_text += '"';
    for (const auto character : characters(text)) {
      const auto byte = static_cast<unsigned char>(character[0]);
      if (character == "\"" || character == "\\") {
        m_text += '\\';
        m_text += character;
      } else if (byte < 0x20) {
        control(byte);
      } else if (m_style.ascii && byte >= 0x80) {
        escape(character);
      } else {
        m_text += character;
      }
    }
    m_text += '"';
  }

  void control(unsigned char byte) {
    static constexpr std::string_view kNamed = "\b\t\n\f\r";
    static constexpr std::string_view kLetters = "btnfr";
    const auto found = kNamed.find(static_cast<char>(byte));
    m_text += found == std::string_view::npos ? fmt::format("\\u{:04x}", byte)
                                              : fmt::format("\\{}", kLetters[found]);
  }

  void escape(std::string_view character) {
    utf8proc_int32_t code = -1;
    utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(character.data()),
                     static_cast<utf8proc_ssize_t>(character.size()), &code);
    if (code >= 0x10000) {
      const int rest = code - 0x10000;
      m_text += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + rest / 0x400, 0xDC00 + rest % 0x400);
    } else {
      m_text += fmt::format("\\u{:04x}", code < 0 ? 0xFFFD : code);
    }
  }

  const JsonStyle& m_style;
  Budget& m_budget;
  std::string m_text;
};

}  // namespace

std::string pythonText(const Value& value, Budget& budget) {
  if (const std::string* text = value.text()) return *text;
  return pythonRepr(value, budget);
}

std::string pythonRepr(const Value& value, Budget& budget) {
  Writer writer(budget);
  writer.repr(value);
  return writer.take();
}

std::string jsonText(const Value& value, const JsonStyle& style, Budget& budget) {
  JsonWriter writer(style, budget);
  writer.write(value, 0);
  return writer.take();
}

}  // namespace moescope::chat
