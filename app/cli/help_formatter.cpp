#include "app/cli/help_formatter.h"

#include <sstream>

namespace moescope::cli {

namespace {

/// With the column of the names this makes lines of 100 characters.
constexpr std::size_t kTextWidth = 70;

/// "TEXT:{a,b}" is shown as its choices, "INT:INT in [0 - 9]" as its type: the error tells the limits.
std::string typeText(const std::string& name) {
  const auto colon = name.find(':');
  if (colon == name.npos) return name;
  return name[colon + 1] == '{' ? name.substr(colon + 1) : name.substr(0, colon);
}

}  // namespace

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  if (option->get_type_size() == 0) return {};  // a flag
  std::string text = " " + typeText(option->get_type_name());
  if (!option->get_default_str().empty()) text += "=" + option->get_default_str();
  if (option->get_expected_max() == CLI::detail::expected_max_vector_size) text += " ...";
  if (option->get_required()) text += " (required)";
  return text;
}

std::string HelpFormatter::make_option_desc(const CLI::Option* option) const {
  std::istringstream words(option->get_description());
  std::string text;
  std::size_t used = 0;
  for (std::string word; words >> word; used += word.size() + 1) {
    if (used > 0 && used + word.size() > kTextWidth) {
      text += '\n';
      used = 0;
    }
    text += (used > 0 ? " " : "") + word;
  }
  return text;
}

}  // namespace moescope::cli
