// readCorpus: a labelled corpus from folders, files or JSON lines.
#include <algorithm>

#include <fmt/format.h>

#include "core/base/mapped_file.h"
#include "core/base/strict_json.h"
#include "core/engine/generation/corpus_run.h"

namespace moescope::engine {

namespace {

namespace fs = std::filesystem;

/// A corpus is read into memory; more than this is a mistake more often than a wish.
constexpr std::size_t kMaxFileBytes = std::size_t{2} << 30;

/// Entries of a folder by name; hidden ones left out. What cannot be listed is empty.
std::vector<fs::path> sortedEntries(const fs::path& folder, bool folders, std::string_view extension) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (entry->path().filename().string().starts_with('.')) continue;
    if (folders ? entry->is_directory(ignored)
                : entry->is_regular_file(ignored) && entry->path().extension() == extension) {
      paths.push_back(entry->path());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

struct CorpusFile {
  fs::path path;
  std::string label;   // empty: in the lines of the file
  std::string origin;  // inside the corpus
};

std::vector<CorpusFile> filesOf(const fs::path& corpus, LabelSource source) {
  std::vector<CorpusFile> files;
  const bool single = !fs::is_directory(corpus);
  if (source == LabelSource::Folder) {
    for (const auto& folder : sortedEntries(corpus, true, "")) {
      const std::string label = folder.filename().string();
      for (const auto& path : sortedEntries(folder, false, ".txt")) {
        files.push_back({path, label, label + "/" + path.filename().string()});
      }
    }
    return files;
  }
  const bool lines = source == LabelSource::Field;
  const auto paths =
      single ? std::vector<fs::path>{corpus} : sortedEntries(corpus, false, lines ? ".jsonl" : ".txt");
  for (const auto& path : paths) {
    files.push_back({path, lines ? std::string() : path.stem().string(), path.filename().string()});
  }
  return files;
}

LabelSource guess(const fs::path& corpus) {
  if (!fs::is_directory(corpus)) {
    return corpus.extension() == ".jsonl" ? LabelSource::Field : LabelSource::File;
  }
  if (!sortedEntries(corpus, false, ".txt").empty()) return LabelSource::File;
  if (!sortedEntries(corpus, false, ".jsonl").empty()) return LabelSource::Field;
  return LabelSource::Folder;
}

bool isBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos;
}

void splitInto(std::vector<CorpusText>& texts, const CorpusFile& file, std::string_view content,
               const std::string& separator) {
  std::int64_t document = 0;
  while (!content.empty()) {
    const std::size_t end = separator.empty() ? content.npos : content.find(separator);
    const auto piece = content.substr(0, end);
    if (!isBlank(piece)) texts.push_back({file.label, std::string(piece), file.origin, document++, {}});
    content = end == content.npos ? std::string_view() : content.substr(end + separator.size());
  }
}

tl::unexpected<Error> badLine(const CorpusFile& file, std::int64_t line, const std::string& message) {
  return fail("corpus.bad_line", file.path.string(), fmt::format("line {}", line), message,
              R"(give one JSON object a line, with "text" and "label")");
}

Result<CorpusText> parseLine(const CorpusFile& file, std::string_view text, std::int64_t line) {
  const auto object = parseStrictJson(text);
  if (!object) return badLine(file, line, object.error().message);
  if (!object->is_object()) return badLine(file, line, "the line is not a JSON object");
  CorpusText result;
  result.origin = file.origin;
  const auto content = object->find("text");
  if (content == object->end() || !content->is_string())
    return badLine(file, line, R"("text" is missing or not a string)");
  result.text = content->get<std::string>();
  if (isBlank(result.text)) return badLine(file, line, R"("text" is empty)");
  if (const auto label = object->find("label"); label != object->end()) {
    if (!label->is_string()) return badLine(file, line, R"("label" is not a string)");
    result.label = label->get<std::string>();
  }
  if (const auto labels = object->find("labels"); labels != object->end()) {
    if (!labels->is_object()) return badLine(file, line, R"("labels" is not an object of strings)");
    for (const auto& [key, value] : labels->items()) {
      if (!value.is_string()) return badLine(file, line, fmt::format(R"(label "{}" is not a string)", key));
      if (key == "label") {
        result.label = value.get<std::string>();
      } else {
        result.labels.emplace_back(key, value.get<std::string>());
      }
    }
  }
  if (result.label.empty() && !result.labels.empty()) result.label = result.labels.front().second;
  if (result.label.empty()) return badLine(file, line, R"("label" is missing)");
  return result;
}

Result<void> linesInto(std::vector<CorpusText>& texts, const CorpusFile& file, std::string_view content) {
  std::int64_t document = 0;
  for (std::int64_t line = 1; !content.empty(); ++line) {
    const std::size_t end = content.find('\n');
    const auto piece = content.substr(0, end);
    content = end == content.npos ? std::string_view() : content.substr(end + 1);
    if (isBlank(piece)) continue;
    auto text = parseLine(file, piece, line);
    if (!text) return fail(text.error());
    text->document = document++;
    texts.push_back(*std::move(text));
  }
  return {};
}

}  // namespace

Result<std::vector<CorpusText>> readCorpus(const CorpusSettings& settings) {
  const std::string name = settings.corpus.string();
  std::error_code error;
  if (!fs::exists(settings.corpus, error)) {
    return fail("corpus.not_found", name, "", "there is no such file or folder", "check the path");
  }
  const LabelSource source = settings.labelFrom.value_or(guess(settings.corpus));
  if (source == LabelSource::Folder && !fs::is_directory(settings.corpus, error)) {
    return fail("corpus.not_found", name, "", "labels from folders need a folder",
                "give the folder above them");
  }
  std::vector<CorpusText> texts;
  for (const auto& file : filesOf(settings.corpus, source)) {
    const auto content = readTextFile(file.path, kMaxFileBytes);
    if (!content) return fail(content.error());
    std::size_t badByte = 0;
    if (!isValidUtf8(*content, &badByte)) {
      return fail("corpus.not_utf8", file.path.string(), fmt::format("byte {}", badByte),
                  "the text is not UTF-8", "convert the file to UTF-8");
    }
    std::string_view text = *content;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark is no text
    if (source != LabelSource::Field) {
      splitInto(texts, file, text, settings.separator);
    } else if (auto read = linesInto(texts, file, text); !read) {
      return fail(read.error());
    }
  }
  if (texts.empty()) {
    return fail("corpus.empty", name, "", "there is no text in it",
                "give a folder of label/*.txt or label.txt, or a .jsonl file");
  }
  return texts;
}

}  // namespace moescope::engine
