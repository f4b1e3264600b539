#include "core/analysis/label_source.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace moescope::analysis {

namespace {

tl::unexpected<Error> badLabels(std::string_view where, std::string message) {
  return fail("analysis.bad_param", "", fmt::format("labels, “{}”", where), std::move(message),
              "give corpus, corpus:KEY, regex:NAME=EXPRESSION;..., tokens:NAME=FIRST-LAST,...;... or "
              "positions:WIDTH");
}

/// Parts between `;` that are not written `\;`.
std::vector<std::string_view> partsOf(std::string_view text) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    if (at < text.size() && text[at] == '\\') {
      ++at;  // the next character belongs to it
    } else if (at == text.size() || text[at] == ';') {
      parts.push_back(text.substr(begin, at - begin));
      begin = at + 1;
    }
  }
  if (begin < text.size()) parts.push_back(text.substr(begin));  // ends in a backslash
  return parts;
}

bool readRow(std::string_view text, std::int64_t& row) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), row);
  return error == std::errc() && end == text.data() + text.size() && row >= 0 && row < trace::kMostTokens;
}

bool readRanges(std::string_view text, std::vector<trace::TokenRange>& ranges) {
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::string_view part = text.substr(at, comma - at);
    const std::size_t dash = part.find('-');
    trace::TokenRange range;
    if (!readRow(part.substr(0, dash), range.begin)) return false;
    range.end = range.begin;
    if (dash != std::string_view::npos && !readRow(part.substr(dash + 1), range.end)) return false;
    if (range.end < range.begin) return false;
    ++range.end;
    ranges.push_back(range);
    at = comma + 1;
  }
  return true;
}

Result<LabelSource> namedLabels(LabelSource source, std::string_view text) {
  for (const std::string_view part : partsOf(text)) {
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0)
      return badLabels(part, "a label has the form NAME=...");
    LabelSource::Named label;
    label.name = part.substr(0, equals);
    const bool known =
        std::ranges::any_of(source.labels, [&](const auto& l) { return l.name == label.name; });
    if (known || label.name == kOtherLabel) return badLabels(part, "the name is taken");
    const std::string_view value = part.substr(equals + 1);
    if (source.kind == LabelSource::Kind::Regex) {
      auto pattern = TokenPattern::compile(value);
      if (!pattern) return fail(pattern.error());
      label.pattern = std::move(*pattern);
    } else if (!readRanges(value, label.ranges)) {
      return badLabels(part, "token ranges have the form FIRST-LAST with FIRST <= LAST");
    }
    source.labels.push_back(std::move(label));
  }
  if (source.labels.size() >= kMostLabels) return badLabels("", "there are too many labels");
  return source;
}

}  // namespace

Result<LabelSource> labelSourceFrom(std::string_view text) {
  LabelSource source;
  if (text == "corpus") return source;
  const std::size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  const std::string_view rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  if (rest.empty()) return badLabels(text, "this says not where labels come from");
  if (kind == "corpus") {
    source.key = rest;
    return source;
  }
  if (kind == "positions") {
    std::int64_t width = 0;
    if (!readRow(rest, width) || width < 1 || width > (1 << 24))
      return badLabels(text, "the width is no number of tokens");
    source.kind = LabelSource::Kind::Positions;
    source.width = static_cast<int>(width);
    return source;
  }
  if (kind == "regex") {
    source.kind = LabelSource::Kind::Regex;
  } else if (kind == "tokens") {
    source.kind = LabelSource::Kind::Tokens;
  } else {
    return badLabels(text, "this says not where labels come from");
  }
  return namedLabels(std::move(source), rest);
}

}  // namespace moescope::analysis
