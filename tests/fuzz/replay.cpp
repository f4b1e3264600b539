// Runs a fuzzer's function over the files of folders, and over each cut and with single bytes changed: a
// short deterministic run for the tests, without libFuzzer.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

constexpr int kChanges = 400;  // of each file

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

void runChanged(const std::string& input) {
  std::mt19937_64 random(input.size());
  for (int i = 0; i < kChanges && !input.empty(); ++i) {
    std::string changed = input;
    for (std::uint64_t count = 1 + random() % 3; count > 0; --count) {
      const std::size_t at = random() % changed.size();
      switch (random() % 4) {
        case 0: changed[at] = static_cast<char>(random()); break;
        case 1: changed.erase(at, 1 + random() % 8); break;
        case 2: changed.insert(at, changed.substr(random() % changed.size(), random() % 16)); break;
        default: changed[at] = "0123456789-\"[]{},:"[random() % 18];
      }
      if (changed.empty()) break;
    }
    run(changed);
    run(input.substr(0, random() % input.size()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  int files = 0;
  for (int i = 1; i < argc; ++i) {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(argv[i])) paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths) {
      std::ostringstream text;
      text << std::ifstream(path, std::ios::binary).rdbuf();
      run(text.str());
      runChanged(text.str());
      ++files;
    }
  }
  std::printf("%d files\n", files);
  return files > 0 ? 0 : 1;
}
