#include "core/tokenizer/strip_decoder.h"

#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

class StripDecoder final : public Decoder {
 public:
  StripDecoder(std::string content, std::int32_t start, std::int32_t stop)
      : m_content(std::move(content)), m_start(start), m_stop(stop) {}

  void apply(std::vector<std::string>& parts) const override {
    for (auto& part : parts) part = stripped(part);
  }
  void applyTo(Continuation& part) const override {
    if (!part.fused) part.text = stripped(part.text);
  }

 private:
  [[nodiscard]] std::string stripped(std::string_view text) const {
    for (std::int32_t i = 0; i < m_start && text.starts_with(m_content); ++i)
      text.remove_prefix(m_content.size());
    for (std::int32_t i = 0; i < m_stop && text.ends_with(m_content); ++i)
      text.remove_suffix(m_content.size());
    return std::string(text);
  }

  std::string m_content;
  std::int32_t m_start;
  std::int32_t m_stop;
};

}  // namespace

std::unique_ptr<const Decoder> makeStripDecoder(const Component& component) {
  const Component content = component.at("content");
  const bool one = !content.text().empty() && utf8At(content.text(), 0).length == content.text().size();
  if (!one) content.refuse("tokenizer.bad_value", "the content is one character");
  return std::make_unique<StripDecoder>(content.text(), component.at("start").id(),
                                        component.at("stop").id());
}

}  // namespace moescope::tokenizer
