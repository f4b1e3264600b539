#include "core/tokenizer/decoder.h"

#include "core/tokenizer/byte_alphabet.h"
#include "core/tokenizer/byte_fallback.h"
#include "core/tokenizer/metaspace.h"
#include "core/tokenizer/strip_decoder.h"

namespace moescope::tokenizer {

namespace {

using Made = std::unique_ptr<const Decoder>;

class DecoderSequence final : public Decoder {
 public:
  explicit DecoderSequence(std::vector<Made> steps) : m_steps(std::move(steps)) {}
  void apply(std::vector<std::string>& parts) const override {
    for (const auto& step : m_steps) step->apply(parts);
  }
  void applyTo(Continuation& part) const override {
    for (const auto& step : m_steps) step->applyTo(part);
  }

 private:
  std::vector<Made> m_steps;
};

class ByteLevel final : public Decoder {
 public:
  void apply(std::vector<std::string>& parts) const override {
    std::string all;
    for (const auto& part : parts) all += fromByteAlphabet(part).value_or(part);
    parts.assign(1, all);
  }
  void applyTo(Continuation& part) const override {
    part = {fromByteAlphabet(part.text).value_or(part.text), true};
  }
};

class Fuse final : public Decoder {
 public:
  void apply(std::vector<std::string>& parts) const override {
    std::string all;
    for (const auto& part : parts) all += part;
    parts.assign(1, all);
  }
  void applyTo(Continuation& part) const override { part.fused = true; }
};

class Spaced final : public Decoder {
 public:
  void apply(std::vector<std::string>& parts) const override {
    for (std::size_t i = 1; i < parts.size(); ++i) parts[i].insert(0, 1, ' ');
  }
  void applyTo(Continuation& part) const override { part.text.insert(0, 1, ' '); }
};

/// One string for another that is not longer, so that no file can blow a text up.
class Replace final : public Decoder {
 public:
  Replace(std::string old, std::string content) : m_old(std::move(old)), m_content(std::move(content)) {}
  void apply(std::vector<std::string>& parts) const override {
    for (auto& part : parts) replace(part);
  }
  void applyTo(Continuation& part) const override { replace(part.text); }

 private:
  void replace(std::string& part) const {
    std::string changed;
    std::size_t done = 0;
    for (auto at = part.find(m_old); at != std::string::npos; at = part.find(m_old, done)) {
      changed.append(part, done, at - done).append(m_content);
      done = at + m_old.size();
    }
    part = changed.append(part, done);
  }

  std::string m_old;
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
  const Component pattern = component.at("pattern").at("String");
  if (pattern.isNull()) component.at("pattern").unsupported("a decoder with a regular expression");
  const Component content = component.at("content");
  if (pattern.text().empty()) pattern.refuse("tokenizer.pattern", "the pattern is empty");
  if (content.text().size() > pattern.text().size()) content.unsupported("a decoder that makes text longer");
  return std::make_unique<Replace>(pattern.text(), content.text());
}

constexpr ComponentRow<Made> kRows[] = {
    {"Sequence", makeSequence},
    {"ByteLevel", makeByteLevel},
    {"Fuse", makeFuse},
    {"Replace", makeReplace},
    {"ByteFallback", makeByteFallback},
    {"Strip", makeStripDecoder},
    {"Metaspace", makeMetaspaceDecoder},
};

}  // namespace

std::unique_ptr<const Decoder> makeDecoder(const Component& component) {
  if (component.isNull()) return std::make_unique<Spaced>();
  return makeFromRows<Made>(component, kRows, "decoder");
}

}  // namespace moescope::tokenizer
