#include "core/chat/text_methods.h"

#include <algorithm>

#include "core/chat/access.h"
#include "core/chat/characters.h"

namespace moescope::chat {

namespace {

template <Ends ends>
Value stripped(const Value& self, const Arguments& arguments, Budget& budget) {
  const Value* set = arguments.find(0, "chars");
  const bool given = set != nullptr && !set->isNone();
  budget.made(self.text()->size());
  return std::string(strip(*self.text(), given ? &textOf(*set) : nullptr, ends));
}

template <std::string (*change)(std::string_view)>
Value changed(const Value& self, const Arguments&, Budget& budget) {
  budget.made(self.text()->size());
  return change(*self.text());
}

std::vector<Value> splitAtSpace(std::string_view text, std::int64_t most) {
  std::vector<Value> parts;
  std::size_t at = 0;
  std::size_t begin = 0;
  bool inside = false;
  for (const auto character : characters(text)) {
    const bool space = isSpace(character);
    if (inside && space) {
      parts.emplace_back(std::string(text.substr(begin, at - begin)));
      inside = false;
    } else if (!inside && !space) {
      begin = at;
      inside = true;
      if (static_cast<std::int64_t>(parts.size()) == most) {
        parts.emplace_back(std::string(text.substr(begin)));
        return parts;
      }
    }
    at += character.size();
  }
  if (inside) parts.emplace_back(std::string(text.substr(begin)));
  return parts;
}

Value split(const Value& self, const Arguments& arguments, Budget& budget) {
  const std::string& text = *self.text();
  const Value* separator = arguments.find(0, "sep");
  const Value* limit = arguments.find(1, "maxsplit");
  const std::int64_t most = limit == nullptr ? -1 : limit->integer();
  budget.made(text.size() + sizeof(Value));
  if (separator == nullptr || separator->isNone()) {
    budget.made(text.size() / 2 * sizeof(Value));  // words of one letter
    return Value::list(splitAtSpace(text, most));
  }
  const std::string& mark = textOf(*separator);
  if (mark.empty()) failed("a text cannot be split at nothing");
  std::vector<Value> parts;
  std::size_t done = 0;
  for (auto at = text.find(mark); at != std::string::npos && most != static_cast<std::int64_t>(parts.size());
       at = text.find(mark, done)) {
    budget.made(sizeof(Value));
    parts.emplace_back(text.substr(done, at - done));
    done = at + mark.size();
  }
  parts.emplace_back(text.substr(done));
  return Value::list(std::move(parts));
}

template <bool atStart>
Value hasEnd(const Value& self, const Arguments& arguments, Budget&) {
  const auto fits = [&](const Value& part) {
    return atStart ? self.text()->starts_with(textOf(part)) : self.text()->ends_with(textOf(part));
  };
  const Value& part = arguments.need(0, atStart ? "prefix" : "suffix");
  const Sequence* several = part.sequence();
  return several == nullptr ? fits(part) : std::any_of(several->items.begin(), several->items.end(), fits);
}

template <bool atStart>
Value withoutEnd(const Value& self, const Arguments& arguments, Budget& budget) {
  const std::string& part = textOf(arguments.need(0, atStart ? "prefix" : "suffix"));
  if (!hasEnd<atStart>(self, arguments, budget).truth()) return self;
  budget.made(self.text()->size());
  const std::size_t size = self.text()->size() - part.size();
  return self.text()->substr(atStart ? part.size() : 0, size);
}

Value replace(const Value& self, const Arguments& arguments, Budget& budget) {
  const Value* count = arguments.find(2, "count");
  return replaced(*self.text(), textOf(arguments.need(0, "old")), textOf(arguments.need(1, "new")),
                  count == nullptr ? -1 : count->integer(), budget);
}

Value join(const Value& self, const Arguments& arguments, Budget& budget) {
  return joinedTexts(*iterate(arguments.need(0, "iterable"), budget), *self.text(), budget);
}

template <bool last>
Value findPlace(const Value& self, const Arguments& arguments, Budget&) {
  const std::string& part = textOf(arguments.need(0, "sub"));
  const auto at = last ? self.text()->rfind(part) : self.text()->find(part);
  if (at == std::string::npos) return std::int64_t{-1};
  return static_cast<std::int64_t>(characterCount(std::string_view(*self.text()).substr(0, at)));
}

Value count(const Value& self, const Arguments& arguments, Budget&) {
  const std::string& part = textOf(arguments.need(0, "sub"));
  if (part.empty()) return static_cast<std::int64_t>(characterCount(*self.text()) + 1);
  std::int64_t found = 0;
  for (auto at = self.text()->find(part); at != std::string::npos;
       at = self.text()->find(part, at + part.size())) {
    ++found;
  }
  return found;
}

Value splitLines(const Value& self, const Arguments&, Budget& budget) {
  std::vector<Value> lines;
  budget.made(self.text()->size());
  for (const auto line : linesOf(*self.text())) {
    budget.made(sizeof(Value));
    lines.emplace_back(std::string(line));
  }
  return Value::list(std::move(lines));
}

template <bool (*property)(std::string_view)>
Value all(const Value& self, const Arguments&, Budget&) {
  const auto parts = characters(*self.text());
  return !parts.empty() && std::all_of(parts.begin(), parts.end(), property);
}

bool isDigit(std::string_view character) {
  return character.size() == 1 && character[0] >= '0' && character[0] <= '9';
}

struct Row {
  std::string_view name;
  TextMethod method;
};

constexpr Row kRows[] = {{"strip", stripped<Ends::Both>},
                         {"lstrip", stripped<Ends::Left>},
                         {"rstrip", stripped<Ends::Right>},
                         {"split", split},
                         {"splitlines", splitLines},
                         {"startswith", hasEnd<true>},
                         {"endswith", hasEnd<false>},
                         {"removeprefix", withoutEnd<true>},
                         {"removesuffix", withoutEnd<false>},
                         {"replace", replace},
                         {"upper", changed<upper>},
                         {"lower", changed<lower>},
                         {"title", changed<title>},
                         {"capitalize", changed<capitalize>},
                         {"join", join},
                         {"find", findPlace<false>},
                         {"rfind", findPlace<true>},
                         {"count", count},
                         {"isdigit", all<isDigit>},
                         {"isspace", all<isSpace>}};

}  // namespace

TextMethod findTextMethod(std::string_view name) {
  const auto found =
      std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& row) { return row.name == name; });
  return found == std::end(kRows) ? nullptr : found->method;
}

std::string replaced(std::string_view text, std::string_view old, std::string_view content, std::int64_t most,
                     Budget& budget) {
  std::string result;
  std::size_t done = 0;
  const auto put = [&](std::size_t at) {
    budget.step();
    result += text.substr(done, at - done);
    result += content;
    budget.output(result.size());
    done = at + old.size();
    --most;
  };
  if (old.empty()) {  // in front of every character and at the end
    std::size_t at = 0;
    for (const auto character : characters(text)) {
      if (most == 0) break;
      put(at);
      at += character.size();
    }
    if (most != 0) put(text.size());
  } else {
    for (auto at = text.find(old); at != std::string_view::npos && most != 0; at = text.find(old, done))
      put(at);
  }
  result += text.substr(done);
  budget.made(result.size());
  return result;
}

std::vector<std::string_view> linesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  std::size_t done = 0;
  while (done < text.size()) {
    const auto end = std::min(text.find_first_of("\n\r\v\f\x1C\x1D\x1E", done), text.size());
    lines.push_back(text.substr(done, end - done));
    const bool two = text.substr(end).starts_with("\r\n");
    done = end + (two ? 2 : 1);
  }
  return lines;
}

const std::string& textOf(const Value& value) {
  if (value.isUndefined()) failUndefined(value);
  if (!value.isText()) failed(std::string("a text is needed, not ") + value.typeName());
  return *value.text();
}

std::string joinedTexts(const Sequence& items, std::string_view separator, Budget& budget) {
  std::string result;
  for (std::size_t i = 0; i < items.items.size(); ++i) {
    budget.step();
    if (i > 0) result += separator;
    result += textOf(items.items[i]);
    budget.output(result.size());
  }
  budget.made(result.size());
  return result;
}

}  // namespace moescope::chat
