#include "core/tokenizer/decoder.h"

#include "core/base/strict_json.h"
#include "core/tokenizer/byte_alphabet.h"
#include "core/tokenizer/pattern.h"
#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

using Made = std::unique_ptr<const Decoder>;

class DecoderSequence final : public Decoder {
 public:
  explicit DecoderSequence(std::vector<Made> steps) : m_steps(std::move(steps)) {}
  void apply(std::vector<std::string>& parts) const override {
    for (const auto& step : m_steps) step->apply(parts);
  }

 private:
  std::vector<Made> m_steps;
};

class ByteLevel final : public Decoder {
 public:
  void apply(std::vector<std::string>& parts) const override {
    std::string all;
    for (const auto& part : parts) all += fromByteAlphabet(part).value_or(part);
    parts.assign(1, std::move(all));
  }
};

class Fuse final : public Decoder {
 public:
  void apply(std::vector<std::string>& parts) const override {
    std::string all;
    for (const auto& part : parts) all += part;
    parts.assign(1, std::move(all));
  }
};

class Spaced final : public Decoder {
 public:
  void apply(std::vector<std::string>& parts) const override {
    for (std::size_t i = 1; i < parts.size(); ++i) parts[i].insert(0, 1, ' ');
  }
};

class Replace final : public Decoder {
 public:
  Replace(Pattern pattern, std::string content)
      : m_pattern(std::move(pattern)), m_content(std::move(content)) {}
  void apply(std::vector<std::string>& parts) const override {
    std::vector<PatternPart> found;
    for (auto& part : parts) {
      if (!isValidUtf8(part)) part = replaceInvalid(part);  // behind ByteLevel; patterns need valid text
      found.clear();
      m_pattern.split(part, found);
      std::string changed;
      for (const auto& [begin, end, match] : found) {
        changed += match ? std::string_view(m_content) : std::string_view(part).substr(begin, end - begin);
      }
      part = std::move(changed);
    }
  }

 private:
  Pattern m_pattern;
  std::string m_content;
};

Made makeSequence(const Component& component) {
  const Component list = component.at("decoders");
  std::vector<Made> steps;
  for (std::size_t i = 0; i < list.listSize(); ++i) {
    if (list.item(i).isNull()) list.item(i).refuse("tokenizer.wrong_type", "a decoder is needed here");
    steps.push_back(makeDecoder(list.item(i)));
  }
  return std::make_unique<DecoderSequence>(std::move(steps));
}

Made makeByteLevel(const Component&) { return std::make_unique<ByteLevel>(); }

Made makeFuse(const Component&) { return std::make_unique<Fuse>(); }

Made makeReplace(const Component& component) {
  return std::make_unique<Replace>(Pattern::read(component.at("pattern")), component.at("content").text());
}

constexpr ComponentRow<Made> kRows[] = {
    {"Sequence", makeSequence},
    {"ByteLevel", makeByteLevel},
    {"Fuse", makeFuse},
    {"Replace", makeReplace},
};

}  // namespace

std::unique_ptr<const Decoder> makeDecoder(const Component& component) {
  if (component.isNull()) return std::make_unique<Spaced>();
  return makeFromRows<Made>(component, kRows, "decoder");
}

}  // namespace moescope::tokenizer
