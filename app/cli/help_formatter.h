// HelpFormatter: how --help shows options: type or choices, default, wrapped text. Not for the texts
// themselves.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace moescope::cli {

/// Set on the program's CLI::App before subcommands are added, which take it over.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_option_desc(const CLI::Option* option) const override;
};

}  // namespace moescope::cli
