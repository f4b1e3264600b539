#include "core/chat/functions.h"

#include <iomanip>
#include <locale>
#include <sstream>

#include "core/chat/python_text.h"
#include "core/chat/text_methods.h"

namespace moescope::chat {

namespace {

// As in Jinja's sandbox.
constexpr std::int64_t kMaxRange = 100'000;
constexpr std::size_t kMaxFormat = 200;

Value range(const Arguments& arguments, Budget& budget) {
  const auto at = [&](std::size_t index) { return arguments.positional[index].integer(); };
  const std::size_t count = arguments.positional.size();
  if (count == 0 || count > 3) failed("range needs one to three numbers");
  const std::int64_t first = count == 1 ? 0 : at(0);
  const std::int64_t last = at(count == 1 ? 0 : 1);
  const std::int64_t step = count == 3 ? at(2) : 1;
  if (step == 0) failed("the step of a range is 0");
  std::vector<Value> items;
  for (std::int64_t value = first; step > 0 ? value < last : value > last;) {
    if (static_cast<std::int64_t>(items.size()) == kMaxRange)
      throw Fault("chat.limit", "a range is too long");
    budget.step();
    items.emplace_back(value);
    if (__builtin_add_overflow(value, step, &value)) break;
  }
  budget.made(sizeof(Value) * items.size());
  return Value::list(std::move(items));
}

Value dict(const Arguments& arguments, Budget& budget) {
  std::vector<std::pair<Value, Value>> entries;
  if (!arguments.positional.empty()) {
    const Dict* source = arguments.positional.front().dict();
    if (source == nullptr) failed("dict needs a dict or arguments with names");
    entries = source->entries;
  }
  for (const auto& [name, value] : arguments.named) {
    budget.step(1 + entries.size() / 16);
    const auto same = [&wanted = name](const auto& entry) {
      return entry.first.isText() && *entry.first.text() == wanted;
    };
    const auto found = std::find_if(entries.begin(), entries.end(), same);
    if (found == entries.end()) {
      entries.emplace_back(name, value);
    } else {
      found->second = value;
    }
  }
  budget.made(2 * sizeof(Value) * entries.size());
  return Value::dict(std::move(entries));
}

Value timeText(const Arguments& arguments, const std::tm& now, Budget& budget) {
  const std::string& format = textOf(arguments.need(0, "format"));
  if (format.size() > kMaxFormat) failed("the format of strftime_now is too long");
  std::ostringstream stream;
  stream.imbue(std::locale::classic());
  stream << std::put_time(&now, format.c_str());
  budget.made(stream.str().size());
  return stream.str();
}

}  // namespace

bool isFunction(const std::string& name) {
  return name == "range" || name == "dict" || name == "namespace" || name == "strftime_now" ||
         name == "raise_exception";
}

Value callFunction(const std::string& name, const Arguments& arguments, const std::tm& now, Budget& budget) {
  if (name == "range") return range(arguments, budget);
  if (name == "dict") return dict(arguments, budget);
  if (name == "strftime_now") return timeText(arguments, now, budget);
  throw Fault("chat.refused", pythonText(arguments.need(0, "message"), budget));
}

}  // namespace moescope::chat
