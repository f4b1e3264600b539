// Fuzz target: any text as a chat template, filled with conversations and tools within small limits.
#include "core/chat/chat_template.h"
#include "tests/fuzz/fuzz_input.h"

using namespace moescope;
using namespace moescope::chat;
using json = nlohmann::ordered_json;

namespace {

/// Calls with arguments and a text outside ASCII, as messages of the published templates have them.
const json& messages() {
  static const json kMessages = json::parse(R"([
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "W\u00f6rter <|im_end|>"},
    {"role": "assistant", "content": null, "reasoning_content": "r", "tool_calls":
      [{"type": "function", "id": "1", "function": {"name": "f", "arguments": {"a": [1, 2.5, null]}}}]},
    {"role": "tool", "content": "7", "tool_call_id": "1"},
    {"role": "user", "content": [{"type": "text", "text": "x"}]}])");
  return kMessages;
}

RenderOptions options() {
  RenderOptions options;
  options.time = 1738281600;
  options.limits = {20000, 1u << 20, 1u << 18, 100};
  options.variables = json::parse(
      R"({"tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters":
        {"type": "object", "properties": {"a": {"type": "array"}}}}}], "enable_thinking": true})");
  return options;
}

void requireResult(const Result<std::string>& made, std::size_t most) {
  if (!made) {
    fuzz::requireError(made.error());
  } else if (made->size() > most) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const RenderOptions kOptions = options();
  static const std::vector<Turn> kTurns{{"user", "a"}, {"assistant", "b"}, {"user", "c"}};
  const auto chat =
      ChatTemplate::parse(fuzz::textOf(data, size), {{"bos_token", "<s>"}, {"eos_token", "</s>"}}, "f.jinja");
  if (!chat) {
    fuzz::requireError(chat.error());
    return 0;
  }
  requireResult(chat->render(messages(), kOptions), kOptions.limits.output);
  RenderOptions plain = kOptions;
  plain.variables = json::object();
  plain.addGenerationPrompt = false;
  requireResult(chat->render(kTurns, plain), plain.limits.output);
  return 0;
}
