// `moescope tokenize`: text to token ids, or ids to text, with the tokenizer of a model.
#include <filesystem>
#include <iostream>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/cli/command.h"
#include "core/base/strict_json.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/gguf_model.h"
#include "core/engine/generation/checkpoint_tokenizer.h"
#include "core/tokenizer/tokenizer.h"

namespace moescope::cli {

namespace {

using nlohmann::ordered_json;
using tokenizer::Tokenizer;
using Ids = std::vector<std::int32_t>;

constexpr const char* kInput = "standard input";

struct Options {
  std::string tokenizerFile;
  std::string model;
  std::optional<std::string> text;
  std::vector<std::string> ids;
  bool decode = false;
  bool jsonl = false;
  bool special = false;
  bool json = false;
};

std::string readInput() {
  return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
}

/// What text becomes: ids, tokens as written, offsets in code points.
Result<ordered_json> encoded(const Tokenizer& tokenizer, std::string_view text, bool special) {
  std::vector<std::string> pieces;
  const auto tokens = tokenizer.encode(text, special, &pieces);
  if (!tokens) return fail(tokens.error());
  auto ids = ordered_json::array();
  auto offsets = ordered_json::array();
  for (const auto& token : *tokens) {
    ids.push_back(token.id);
    offsets.push_back({token.begin, token.end});
  }
  return ordered_json{
      {"ids", std::move(ids)}, {"tokens", std::move(pieces)}, {"offsets", std::move(offsets)}};
}

ordered_json decoded(const Tokenizer& tokenizer, const Ids& ids, bool special) {
  auto pieces = ordered_json::array();
  for (const std::int32_t id : ids) pieces.push_back(tokenizer.piece(id));
  return {{"ids", ids}, {"tokens", std::move(pieces)}, {"text", tokenizer.decode(ids, !special)}};
}

/// Ids written with spaces, commas or line ends between them.
Result<Ids> readIds(const std::string& text, const std::string& source) {
  Ids ids;
  for (std::size_t at = text.find_first_not_of(" ,\t\r\n[]"); at != std::string::npos;) {
    const std::size_t end = text.find_first_of(" ,\t\r\n[]", at);
    const std::string word = text.substr(at, end - at);
    const bool digits = word.size() <= 10 && word.find_first_not_of("0123456789") == std::string::npos;
    const std::int64_t id = digits ? std::stoll(word) : -1;
    if (id < 0 || id > std::numeric_limits<std::int32_t>::max()) {
      return fail("tokenizer.bad_id", source, fmt::format("number {}", ids.size() + 1),
                  "a token id is a whole number from 0", "give ids with spaces or commas between them");
    }
    ids.push_back(static_cast<std::int32_t>(id));
    at = end == std::string::npos ? end : text.find_first_not_of(" ,\t\r\n[]", end);
  }
  return ids;
}

/// One line of --jsonl: a string is encoded, a list of ids decoded.
Result<ordered_json> converted(const Tokenizer& tokenizer, const std::string& line, bool special) {
  const auto wrong = [] {
    return fail("tokenizer.bad_value", {}, {}, "a line is one JSON string or one list of token ids",
                "put every text into one JSON string");
  };
  const auto value = parseStrictJson(line);
  if (!value) return fail("tokenizer.not_json", {}, value.error().where, value.error().message);
  if (value->is_string()) return encoded(tokenizer, value->get_ref<const std::string&>(), special);
  if (!value->is_array()) return wrong();
  Ids ids;
  for (const auto& id : *value) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() > std::numeric_limits<std::int32_t>::max()) {
      return wrong();
    }
    ids.push_back(id.get<std::int32_t>());
  }
  return decoded(tokenizer, ids, special);
}

int convertLines(const Tokenizer& tokenizer, const Options& options) {
  std::string line;
  for (std::int64_t number = 1; std::getline(std::cin, line); ++number) {
    auto result = converted(tokenizer, line, options.special);
    if (!result) {
      Error error = result.error();
      if (error.file.empty()) error.file = kInput;
      error.where = fmt::format("line {}{}{}", number, error.where.empty() ? "" : ", ", error.where);
      return report(error, options.json);
    }
    std::cout << result->dump() << '\n';
  }
  return kDone;
}

int decodeIds(const Tokenizer& tokenizer, const Options& options) {
  const bool given = !options.ids.empty();
  const auto ids = readIds(given ? fmt::format("{}", fmt::join(options.ids, " ")) : readInput(),
                           given ? "--decode" : kInput);
  if (!ids) return report(ids.error(), options.json);
  if (options.json) {
    print(decoded(tokenizer, *ids, options.special));
  } else {
    std::cout << tokenizer.decode(*ids, !options.special) << '\n';
  }
  return kDone;
}

int encodeText(const Tokenizer& tokenizer, const Options& options) {
  const std::string text = options.text ? *options.text : readInput();
  const auto result = encoded(tokenizer, text, options.special);
  if (!result) {
    Error error = result.error();
    if (error.file.empty()) error.file = options.text ? "--text" : kInput;
    return report(error, options.json);
  }
  if (options.json) {
    print(*result);
  } else {
    std::cout << fmt::format("{}", fmt::join((*result)["ids"].get<Ids>(), " ")) << '\n';
  }
  return kDone;
}

/// Of a GGUF file only where the model says so; else nothing but the tokenizer's own file is read.
Result<std::shared_ptr<const Tokenizer>> openTokenizer(const Options& options) {
  if (options.model.empty()) return Tokenizer::open(options.tokenizerFile);
  if (!checkpoint::isGgufPath(options.model)) {
    return Tokenizer::open(std::filesystem::path(options.model) / "tokenizer.json");
  }
  const auto checkpoint = checkpoint::Checkpoint::open(options.model);
  if (!checkpoint) return fail(checkpoint.error());
  return engine::openTokenizer(**checkpoint);
}

int runTokenize(const Options& options) {
  const auto tokenizer = openTokenizer(options);
  if (!tokenizer) return report(tokenizer.error(), options.json);
  if (options.jsonl) return convertLines(**tokenizer, options);
  return options.decode ? decodeIds(**tokenizer, options) : encodeText(**tokenizer, options);
}

}  // namespace

void addTokenize(CLI::App& app, std::function<int()>& run) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("tokenize", "Turn text into token ids, or ids into text");
  auto* source = command->add_option_group("tokenizer", "Which tokenizer");
  source->add_option("--tokenizer", options->tokenizerFile, "A tokenizer.json")->type_name("FILE");
  source->add_option("-m,--model", options->model, "Checkpoint folder with a tokenizer.json, or a GGUF file")
      ->type_name("DIR");
  source->require_option(1);
  auto* input = command->add_option_group("input", "What to convert; without any, text from standard input");
  input->add_option("--text", options->text, "Text to encode");
  auto* decode =
      input->add_option("--decode", options->ids, "Ids to decode; without any, from standard input");
  decode->type_name("ID")->expected(0, -1);
  input->add_flag("--jsonl", options->jsonl,
                  "Lines of standard input, each a JSON string or a list of ids; one object a line out");
  input->require_option(0, 1);
  command->add_flag("--special", options->special,
                    "Encoding puts in the special tokens around a text, decoding shows them");
  command->add_flag("--json", options->json, "One JSON document: ids, tokens, and offsets or text");
  command->footer(
      "Offsets count characters (code points). Standard input is taken as it is, line ends included.\n\n"
      "Examples:\n  moescope tokenize --model resources/demo/model --text \"Our relations with\" --json\n"
      "  moescope tokenize --model resources/demo/model --decode 45 267 1021\n"
      "  echo '\"one text\"' | moescope tokenize --tokenizer tokenizer.json --jsonl");
  command->callback([options, decode, &run] {
    options->decode = decode->count() > 0;
    std::erase(options->ids, std::string());  // what CLI11 gives for an option without values
    run = [options] { return runTokenize(*options); };
  });
}

}  // namespace moescope::cli
