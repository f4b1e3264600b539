// JsonReader: reads the objects of a document with their places, so that every fault names its key. Private
// to core/figure; not for documents that may have unknown shapes.
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "core/figure/figure_words.h"

namespace moescope::figure {

/// 8192 tokens x 1024 experts; more cells than any screen or page shows.
inline constexpr std::size_t kMostValues = std::size_t{1} << 23;
inline constexpr std::size_t kMostItems = 4096;  ///< ticks, lines, references, bands
inline constexpr std::size_t kMostTextBytes = 4096;

/// Thrown while a document is read; figureFromJson turns it into an error value.
struct Fault {
  std::string where, message;
};

/// One object of the document with its place, for errors that name the key.
class JsonReader {
 public:
  JsonReader(const nlohmann::json& object, std::string place) : m_object(object), m_place(std::move(place)) {
    if (!object.is_object()) throw Fault{m_place, "is not an object"};
  }

  [[nodiscard]] bool has(const char* key) const { return m_object.contains(key) && !m_object[key].is_null(); }
  [[nodiscard]] const nlohmann::json& at(const char* key) const {
    if (!m_object.contains(key)) throw Fault{place(key), "is missing"};
    return m_object[key];
  }
  [[nodiscard]] JsonReader object(const char* key) const { return {at(key), place(key)}; }
  [[nodiscard]] std::string place(const char* key) const {
    return m_place.empty() ? key : m_place + "." + key;
  }

  [[nodiscard]] std::string text(const char* key) const {
    if (!m_object.contains(key)) return {};
    return asText(m_object[key], place(key));
  }
  [[nodiscard]] bool flag(const char* key) const {
    if (!m_object.contains(key)) return false;
    if (!m_object[key].is_boolean()) throw Fault{place(key), "is neither true nor false"};
    return m_object[key].get<bool>();
  }
  [[nodiscard]] double number(const char* key) const { return asNumber(at(key), place(key)); }
  [[nodiscard]] double numberIn(const char* key, double low, double high) const {
    const double value = number(key);
    if (value < low || value > high)
      throw Fault{place(key), fmt::format("is not between {} and {}", low, high)};
    return value;
  }
  [[nodiscard]] int whole(const char* key, int low, int high) const {
    const nlohmann::json& value = at(key);
    if (!value.is_number_integer()) throw Fault{place(key), "is not a whole number"};
    const double size = value.get<double>();
    if (size < low || size > high)
      throw Fault{place(key), fmt::format("is not between {} and {}", low, high)};
    return static_cast<int>(size);
  }
  [[nodiscard]] const nlohmann::json& list(const char* key, std::size_t most) const {
    static const nlohmann::json kNone = nlohmann::json::array();
    if (!m_object.contains(key)) return kNone;
    const nlohmann::json& value = m_object[key];
    if (!value.is_array()) throw Fault{place(key), "is not a list"};
    if (value.size() > most) throw Fault{place(key), fmt::format("has more than {} entries", most)};
    return value;
  }
  [[nodiscard]] std::vector<double> numbers(const char* key) const {
    std::vector<double> out;
    for (const nlohmann::json& value : list(key, kMostValues)) {
      out.push_back(value.is_null() ? std::numeric_limits<double>::quiet_NaN() : asNumber(value, place(key)));
    }
    return out;
  }
  [[nodiscard]] std::vector<std::string> texts(const char* key) const {
    std::vector<std::string> out;
    for (const nlohmann::json& value : list(key, kMostValues)) out.push_back(asText(value, place(key)));
    return out;
  }
  [[nodiscard]] std::vector<int> wholes(const char* key, int low, int high) const {
    std::vector<int> out;
    for (const nlohmann::json& value : list(key, kMostValues)) {
      const double number = value.is_number_integer() ? value.get<double>() : low - 1.0;
      if (number < low || number > high)
        throw Fault{place(key),
                    fmt::format("holds something other than whole numbers of {} to {}", low, high)};
      out.push_back(static_cast<int>(number));
    }
    return out;
  }
  [[nodiscard]] std::vector<bool> flags(const char* key) const {
    std::vector<bool> out;
    for (const nlohmann::json& on : list(key, kMostValues)) {
      if (!on.is_boolean()) throw Fault{place(key), "holds something other than true and false"};
      out.push_back(on.get<bool>());
    }
    return out;
  }
  template <class Enum, std::size_t N>
  [[nodiscard]] Enum choice(const char* key, const std::array<std::string_view, N>& words) const {
    const auto value = enumFrom<Enum>(words, asText(at(key), place(key)));
    if (!value) throw Fault{place(key), fmt::format("is none of {}", fmt::join(words, ", "))};
    return *value;
  }
  /// The same of a key that may be missing.
  template <class Enum, std::size_t N>
  [[nodiscard]] Enum choiceOr(Enum otherwise, const char* key,
                              const std::array<std::string_view, N>& words) const {
    return has(key) ? choice<Enum>(key, words) : otherwise;
  }
  [[nodiscard]] int wholeOr(int otherwise, const char* key, int low, int high) const {
    return has(key) ? whole(key, low, high) : otherwise;
  }
  /// Throws unless the list under `key` has `count` entries, or none.
  void checkOne(const char* key, std::size_t have, std::size_t count, const char* what) const {
    if (have != 0 && have != count)
      throw Fault{place(key), fmt::format("does not hold one entry a {}", what)};
  }

  static std::string asText(const nlohmann::json& value, const std::string& place) {
    if (!value.is_string()) throw Fault{place, "is not text"};
    auto text = value.get<std::string>();
    if (text.size() > kMostTextBytes)
      throw Fault{place, fmt::format("is longer than {} bytes", kMostTextBytes)};
    return text;
  }
  static double asNumber(const nlohmann::json& value, const std::string& place) {
    if (!value.is_number()) throw Fault{place, "is not a number"};
    const double number = value.get<double>();
    if (!std::isfinite(number)) throw Fault{place, "is not a finite number"};
    return number;
  }

 private:
  const nlohmann::json& m_object;
  std::string m_place;
};

}  // namespace moescope::figure
