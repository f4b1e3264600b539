// Runs a fuzz target without libFuzzer: on every file of a corpus, cut and changed a number of times in ways
// that are the same in every run. Usage: PROGRAM CORPUS CHANGES
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void run(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

/// A number of eight bytes in place of what stands there.
void putNumber(std::string& bytes, std::size_t at, std::uint64_t number) {
  for (std::size_t i = 0; i < 8 && at + i < bytes.size(); ++i)
    bytes[at + i] = static_cast<char>(number >> (8 * i));
}

/// One to four changes: a byte, a bit, a number, a mark of JSON, a part that goes or comes twice, or the end.
/// Half of them near the beginning, where headers are.
std::string changed(std::string bytes, std::mt19937_64& random) {
  constexpr std::uint64_t kNumbers[] = {0, 1, 0xFF, 0x7FFFFFFF, 0xFFFFFFFF, 1ULL << 40U, 1ULL << 63U, ~0ULL};
  constexpr std::string_view kMarks = "0123456789-\"[]{},:";
  for (auto left = 1 + random() % 4; left > 0 && !bytes.empty(); --left) {
    const std::size_t reach = random() % 2 == 0 ? std::min<std::size_t>(bytes.size(), 4096) : bytes.size();
    const std::size_t at = random() % reach;
    switch (random() % 7) {
      case 0: bytes[at] = static_cast<char>(random()); break;
      case 1: bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8)); break;
      case 2: putNumber(bytes, at, kNumbers[random() % std::size(kNumbers)]); break;
      case 3: bytes[at] = kMarks[random() % kMarks.size()]; break;
      case 4: bytes.erase(at, 1 + random() % 8); break;
      case 5: bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 16)); break;
      default:
        if (random() % 4 == 0) bytes.resize(at);
    }
  }
  return bytes;
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) return EXIT_FAILURE;
  std::set<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(words[1])) files.insert(entry.path());
  const long changes = std::strtol(words[2], nullptr, 10);
  for (const auto& path : files) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    std::mt19937_64 random(101);
    run(bytes);
    for (long i = 0; i < changes; ++i) run(changed(bytes, random));
  }
  std::printf("%zu files, %ld changes each\n", files.size(), changes);
  return files.empty() ? EXIT_FAILURE : EXIT_SUCCESS;
}
