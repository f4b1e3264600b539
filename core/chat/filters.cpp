#include "core/chat/filters.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/chat/access.h"
#include "core/chat/characters.h"
#include "core/chat/list_filters.h"
#include "core/chat/python_text.h"
#include "core/chat/text_methods.h"

namespace moescope::chat {

namespace {

Value trim(const Value& value, const Arguments& arguments, Budget& budget) {
  const Value* set = arguments.find(0, "chars");
  const bool given = set != nullptr && !set->isNone();
  const std::string text = pythonText(value, budget);
  budget.made(text.size());
  return std::string(strip(text, given ? &textOf(*set) : nullptr, Ends::Both));
}

Value length(const Value& value, const Arguments&, Budget& budget) {
  if (value.isNumber() || value.isNone()) failed(std::string("there is no length of ") + value.typeName());
  if (value.isText()) return static_cast<std::int64_t>(characterCount(*value.text()));
  return static_cast<std::int64_t>(iterate(value, budget)->items.size());
}

Value tojson(const Value& value, const Arguments& arguments, Budget& budget) {
  constexpr std::int64_t kMaxIndent = 32;
  const auto option = [&](const char* name) { return arguments.find(arguments.positional.size(), name); };
  JsonStyle style;
  if (const Value* ascii = arguments.find(0, "ensure_ascii")) style.ascii = ascii->truth();
  if (const Value* indent = arguments.find(1, "indent"); indent != nullptr && !indent->isNone()) {
    style.indent = static_cast<int>(std::clamp<std::int64_t>(indent->integer(), 0, kMaxIndent));
    style.itemSeparator = ",";
  }
  if (const Value* sort = option("sort_keys")) style.sortKeys = sort->truth();
  if (const Value* separators = option("separators"); separators != nullptr && !separators->isNone()) {
    const auto both = iterate(*separators, budget);
    if (both->items.size() != 2) failed("tojson needs two separators");
    style.itemSeparator = textOf(both->items[0]);
    style.keySeparator = textOf(both->items[1]);
  }
  return jsonText(value, style, budget);
}

Value string(const Value& value, const Arguments&, Budget& budget) { return pythonText(value, budget); }

Value fallback(const Value& value, const Arguments& arguments, Budget&) {
  const Value* instead = arguments.find(0, "default_value");
  const Value* alsoFalse = arguments.find(1, "boolean");
  const bool missing = value.isUndefined() || (alsoFalse != nullptr && alsoFalse->truth() && !value.truth());
  if (!missing) return value;
  return instead == nullptr ? Value("") : *instead;
}

template <std::string (*change)(std::string_view)>
Value changed(const Value& value, const Arguments&, Budget& budget) {
  const std::string text = pythonText(value, budget);
  budget.made(text.size());
  return change(text);
}

Value replace(const Value& value, const Arguments& arguments, Budget& budget) {
  const Value* count = arguments.find(2, "count");
  const bool all = count == nullptr || count->isNone();
  return replaced(pythonText(value, budget), textOf(arguments.need(0, "old")),
                  textOf(arguments.need(1, "new")), all ? -1 : count->integer(), budget);
}

Value indent(const Value& value, const Arguments& arguments, Budget& budget) {
  const Value* width = arguments.find(0, "width");
  const Value* first = arguments.find(1, "first");
  const Value* blank = arguments.find(2, "blank");
  std::string margin = "    ";
  if (width != nullptr) {
    margin =
        width->isText()
            ? *width->text()
            : std::string(static_cast<std::size_t>(std::clamp<std::int64_t>(width->integer(), 0, 1000)), ' ');
  }
  const std::string text =
      pythonText(value, budget) + "\n";  // so that an empty last line counts, as in Jinja
  std::string result;
  bool isFirst = true;
  for (const auto line : linesOf(text)) {
    if (!isFirst) result += '\n';
    const bool moved =
        isFirst ? first != nullptr && first->truth() : !line.empty() || (blank != nullptr && blank->truth());
    if (moved) result += margin;
    result += line;
    budget.output(result.size());
    isFirst = false;
  }
  budget.made(result.size());
  return result;
}

/// A number read as Python's int() and float() do; NaN if the text is none.
double numberIn(std::string_view text) {
  text = strip(text, nullptr, Ends::Both);
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  return read.ec == std::errc() && read.ptr == end ? number : std::nan("");
}

Value integer(const Value& value, const Arguments& arguments, Budget&) {
  const Value* given = arguments.find(0, "default");
  const Value instead = given == nullptr ? Value(std::int64_t{0}) : *given;
  if (value.is<std::int64_t>() || value.is<bool>()) return value.integer();
  if (value.isText()) {
    const auto text = strip(*value.text(), nullptr, Ends::Both);
    std::int64_t whole = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), whole);
    if (read.ec == std::errc() && read.ptr == text.data() + text.size()) return whole;
  }
  const double real = value.isText()       ? numberIn(*value.text())
                      : value.is<double>() ? value.number()
                                           : std::nan("");
  constexpr double kEnd = 9.2e18;
  return std::abs(real) < kEnd ? Value(static_cast<std::int64_t>(real)) : instead;
}

Value real(const Value& value, const Arguments& arguments, Budget&) {
  const Value* given = arguments.find(0, "default");
  const double number = value.isText()     ? numberIn(*value.text())
                        : value.isNumber() ? value.number()
                                           : std::nan("");
  if (!std::isnan(number)) return number;
  return given == nullptr ? Value(0.0) : *given;
}

Value absolute(const Value& value, const Arguments&, Budget&) {
  if (value.is<double>()) return std::abs(value.number());
  const std::int64_t whole = value.integer();
  if (whole == std::numeric_limits<std::int64_t>::min()) failed("a whole number is too large");
  return whole < 0 ? -whole : whole;
}

Value escaped(const Value& value, const Arguments&, Budget& budget) {
  std::string result;
  for (const char c : pythonText(value, budget)) {
    result += c == '&'    ? "&amp;"
              : c == '<'  ? "&lt;"
              : c == '>'  ? "&gt;"
              : c == '"'  ? "&#34;"
              : c == '\'' ? "&#39;"
                          : std::string(1, c);
  }
  budget.made(result.size());
  return result;
}

constexpr FilterRow kRows[] = {{"trim", trim},
                               {"length", length},
                               {"count", length},
                               {"tojson", tojson},
                               {"string", string},
                               {"safe", string},
                               {"default", fallback},
                               {"d", fallback},
                               {"upper", changed<upper>},
                               {"lower", changed<lower>},
                               {"title", changed<title>},
                               {"capitalize", changed<capitalize>},
                               {"replace", replace},
                               {"indent", indent},
                               {"int", integer},
                               {"float", real},
                               {"abs", absolute},
                               {"e", escaped},
                               {"escape", escaped}};

}  // namespace

Value filtered(const std::string& name, const Value& value, const Arguments& arguments, Budget& budget) {
  budget.step(value.isText() ? 1 + value.text()->size() / 16 : 1);
  const auto found = std::find_if(std::begin(kRows), std::end(kRows),
                                  [&](const FilterRow& row) { return row.name == name; });
  const Filter filter = found == std::end(kRows) ? findListFilter(name) : found->filter;
  if (filter == nullptr) failed("the filter '" + name + "' is not supported");
  return filter(value, arguments, budget);
}

}  // namespace moescope::chat
