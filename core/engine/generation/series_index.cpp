#include "core/engine/generation/series_index.h"

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "core/base/mapped_file.h"
#include "core/base/strict_json.h"

namespace moescope::engine {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxIndexBytes = 16U << 20;
constexpr auto kAdvice = R"(list the checkpoints as {"checkpoints": [{"folder": "step-100", "step": 100}]})";

tl::unexpected<Error> badIndex(const fs::path& file, const std::string& where, const std::string& message) {
  return fail("series.bad_index", file.string(), where, message, kAdvice);
}

/// Steps and tokens are whole numbers; a JSON of numpy may write them as 1000.0.
bool readCount(const nlohmann::json& value, std::optional<std::int64_t>& count) {
  constexpr double kMost = 9e15;  // a double is exact up to here
  if (value.is_number_integer()) {
    count = value.get<std::int64_t>();
  } else if (value.is_number_float() && std::abs(value.get<double>()) < kMost) {
    count = static_cast<std::int64_t>(value.get<double>());
    if (static_cast<double>(*count) != value.get<double>()) return false;
  } else {
    return false;
  }
  return *count >= 0;
}

const nlohmann::json* listOf(const nlohmann::json& document) {
  if (!document.is_object()) return nullptr;
  for (const char* key : {"checkpoints", "snapshots"}) {
    const auto found = document.find(key);
    if (found != document.end() && found->is_array()) return &*found;
  }
  return nullptr;
}

/// Empty, or what is wrong.
std::string readEntry(const nlohmann::json& object, IndexEntry& entry) {
  if (!object.is_object()) return "is not an object";
  for (const auto& [key, value] : object.items()) {
    if (key == "folder" || key == "label") {
      if (!value.is_string()) return fmt::format("\"{}\" is not a string", key);
      (key == "folder" ? entry.folder : entry.label) = value.get<std::string>();
    } else if (key == "step" || key == "tokens" || key == "tokens_seen") {
      auto& count = key == "step" ? entry.point.step : entry.point.tokens;
      if (!value.is_null() && !readCount(value, count))
        return fmt::format("\"{}\" is not a whole number from 0", key);
    }
  }
  return entry.folder.empty() ? "\"folder\" is missing" : "";
}

Result<std::vector<IndexEntry>> readJson(const fs::path& file, const std::string& text) {
  const auto document = parseStrictJson(text);
  if (!document) return badIndex(file, document.error().where, document.error().message);
  const nlohmann::json* list = listOf(*document);
  if (list == nullptr) return badIndex(file, "", "there is no list of checkpoints");
  std::vector<IndexEntry> entries;
  for (const auto& object : *list) {
    IndexEntry entry;
    entry.where = fmt::format("checkpoint {}", entries.size() + 1);
    if (const auto wrong = readEntry(object, entry); !wrong.empty())
      return badIndex(file, entry.where, wrong);
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\"");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\"") - first + 1);
}

std::vector<std::string> fieldsOf(std::string_view line) {
  std::vector<std::string> fields;
  for (;;) {
    const auto comma = line.find(',');
    fields.emplace_back(trimmed(line.substr(0, comma)));
    if (comma == line.npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

nlohmann::json csvValue(const std::string& column, const std::string& field) {
  if (column == "folder" || column == "label") return field;
  if (field.empty()) return nullptr;
  std::int64_t count = 0;
  const auto end = field.data() + field.size();
  const auto read = std::from_chars(field.data(), end, count);
  return read.ec == std::errc() && read.ptr == end ? nlohmann::json(count) : nlohmann::json(field);
}

Result<std::vector<IndexEntry>> readCsv(const fs::path& file, std::string_view text) {
  std::vector<IndexEntry> entries;
  std::vector<std::string> columns;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    const auto line = trimmed(text.substr(0, end));
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
    if (line.empty()) continue;
    const auto fields = fieldsOf(line);
    if (columns.empty()) {
      columns = fields;
      continue;
    }
    IndexEntry entry;
    entry.where = fmt::format("line {}", number);
    if (fields.size() != columns.size())
      return badIndex(file, entry.where,
                      fmt::format("there are {} fields for {} columns", fields.size(), columns.size()));
    nlohmann::json object = nlohmann::json::object();
    for (std::size_t i = 0; i < fields.size(); ++i) object[columns[i]] = csvValue(columns[i], fields[i]);
    if (const auto wrong = readEntry(object, entry); !wrong.empty())
      return badIndex(file, entry.where, wrong);
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace

Result<std::vector<IndexEntry>> readSeriesIndex(const fs::path& file) {
  const auto text = readTextFile(file, kMaxIndexBytes);
  if (!text) return fail(text.error());
  if (!isValidUtf8(*text)) return badIndex(file, "", "the index is not UTF-8");
  auto entries = file.extension() == ".csv" ? readCsv(file, *text) : readJson(file, *text);
  if (!entries) return entries;
  for (const auto& entry : *entries) {
    const fs::path folder = entry.folder;
    const bool leads = folder.is_absolute() || entry.folder.find('\0') != std::string::npos ||
                       std::find(folder.begin(), folder.end(), "..") != folder.end();
    if (leads) return badIndex(file, entry.where, "the folder lies outside the index's own folder");
  }
  return entries;
}

bool isSeriesIndex(const fs::path& file) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return false;
  const auto text = readTextFile(file, kMaxIndexBytes);
  if (!text) return false;
  const auto document = parseStrictJson(*text);
  return document && listOf(*document) != nullptr;
}

}  // namespace moescope::engine
