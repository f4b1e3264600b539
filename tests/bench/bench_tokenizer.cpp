// Not a test: encodes a text and prints the time, the memory and a sum of the ids (compare_tokenizers.py).
// Usage: bench_tokenizer TOKENIZER_JSON TEXT_FILE BYTES_A_DOCUMENT (0: one document) ROUNDS
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

#include <sys/resource.h>

#include "core/tokenizer/tokenizer.h"

using moescope::tokenizer::Tokenizer;

namespace {

std::vector<std::string> documents(const std::string& text, std::size_t bytes) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = bytes == 0 ? text.size() : std::min(text.size(), begin + bytes);
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
    parts.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return parts;
}

long peakKiB() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const auto opened = Tokenizer::open(argv[1]);
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().text().c_str());
    return 1;
  }
  std::ostringstream text;
  text << std::ifstream(argv[2], std::ios::binary).rdbuf();
  const auto parts = documents(text.str(), std::strtoull(argv[3], nullptr, 10));
  const long before = peakKiB();
  double best = 1e30;
  std::uint64_t sum = 0;
  std::size_t count = 0;
  for (int round = 0; round < std::atoi(argv[4]); ++round) {
    sum = 0;
    count = 0;
    const auto start = std::chrono::steady_clock::now();
    for (const auto& part : parts) {
      const auto tokens = (*opened)->encode(part, false);
      if (!tokens) {
        std::fprintf(stderr, "%s\n", tokens.error().text().c_str());
        return 1;
      }
      for (const auto& token : *tokens) sum += ++count * static_cast<std::uint64_t>(token.id);
    }
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::printf(R"({"seconds": %.4f, "tokens": %zu, "sum": %llu, "kib_before": %ld, "kib_peak": %ld})"
              "\n",
              best, count, static_cast<unsigned long long>(sum), before, peakKiB());
}
