#include "app/cli/text_table.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/base/router_label.h"

namespace moescope::cli {

namespace {

std::string scaled(double value, double base, std::span<const char* const> units, int decimals) {
  std::size_t unit = 0;
  while (value >= base && unit + 1 < units.size()) {
    value /= base;
    ++unit;
  }
  const std::string_view word = units[unit];
  return fmt::format("{:.{}f}{}{}", value, unit == 0 ? 0 : decimals, word.empty() ? "" : " ", word);
}

void printLine(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  fmt::print("{}\n", line);
}

}  // namespace

// As fmt pads: most characters take one, East Asian wide ones two.
std::size_t columnsOf(const std::string& text) {
  std::size_t low = 0;
  std::size_t high = text.size();
  // The largest width at which padding adds nothing is the text's own.
  while (low < high) {
    const std::size_t middle = (low + high + 1) / 2;
    if (fmt::format("{:<{}}", text, middle).size() == text.size()) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

std::string parametersText(std::int64_t parameters) {
  static constexpr std::array units{"", "k", "M", "B", "T"};
  return scaled(static_cast<double>(parameters), 1000.0, units, 2);
}

std::string bytesText(std::int64_t bytes) {
  static constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
  return scaled(static_cast<double>(bytes), 1024.0, units, 1);
}

std::string routersText(std::span<const RouterSpec> routers) {
  std::vector<std::pair<const RouterSpec*, int>> kinds;  // each once, with its number
  for (const RouterSpec& router : routers) {
    const auto same = std::find_if(kinds.begin(), kinds.end(), [&](const auto& other) {
      return router.kind == other.first->kind && router.experts == other.first->experts &&
             router.topK == other.first->topK;
    });
    if (same == kinds.end()) {
      kinds.emplace_back(&router, 1);
    } else {
      ++same->second;
    }
  }
  std::string text;
  for (const auto& [router, count] : kinds) {
    text += fmt::format("{}{} x {} {}experts, top-{}", text.empty() ? "" : "; ", count, router->experts,
                        router->kind == "ffn" ? "" : router->kind + " ", router->topK);
  }
  return text.empty() ? "none" : text;
}

nlohmann::ordered_json routersJson(std::span<const RouterSpec> routers) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const RouterSpec& router : routers) {
    list.push_back({{"layer", router.layer.value},
                    {"label", routerLabel(router)},
                    {"kind", router.kind},
                    {"experts", router.experts},
                    {"top_k", router.topK},
                    {"score", name(router.score)},
                    {"norm", name(router.norm)},
                    {"scale", router.scale},
                    {"shared_experts", router.sharedExperts}});
  }
  return list;
}

void printFacts(const std::string& title, const Facts& facts) {
  std::size_t width = 0;
  for (const auto& [label, value] : facts) width = std::max(width, label.size());
  fmt::print("{}\n", title);
  for (const auto& [label, value] : facts) printLine(fmt::format("  {:<{}}  {}", label, width, value));
}

void printTable(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    widths.push_back(columnsOf(columns[i].title));
    for (const auto& row : rows) widths[i] = std::max(widths[i], columnsOf(row[i]));
  }
  const auto print = [&](auto cell) {
    std::string line;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      line += columns[i].right ? fmt::format("  {:>{}}", cell(i), widths[i])
                               : fmt::format("  {:<{}}", cell(i), widths[i]);
    }
    printLine(std::move(line));
  };
  print([&](std::size_t i) { return columns[i].title; });
  for (const auto& row : rows) print([&](std::size_t i) { return row[i]; });
}

}  // namespace moescope::cli
