#include "core/tokenizer/post_processor.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/tokenizer/unicode_class.h"
#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

using Made = std::unique_ptr<const PostProcessor>;

class PostProcessorSequence final : public PostProcessor {
 public:
  explicit PostProcessorSequence(std::vector<Made> steps) : m_steps(std::move(steps)) {}
  void apply(Encoding& encoding, const Vocabulary& vocabulary, bool addSpecial) const override {
    for (const auto& step : m_steps) step->apply(encoding, vocabulary, addSpecial);
  }

 private:
  std::vector<Made> m_steps;
};

/// Ids before and behind the text.
class Template final : public PostProcessor {
 public:
  Template(std::vector<std::int32_t> before, std::vector<std::int32_t> behind)
      : m_before(std::move(before)), m_behind(std::move(behind)) {}
  void apply(Encoding& encoding, const Vocabulary&, bool addSpecial) const override {
    if (!addSpecial) return;
    const auto token = [](std::int32_t id) { return EncodedToken{id, 0, 0}; };
    std::vector<EncodedToken> tokens;
    tokens.reserve(m_before.size() + encoding.tokens.size() + m_behind.size());
    std::transform(m_before.begin(), m_before.end(), std::back_inserter(tokens), token);
    tokens.insert(tokens.end(), encoding.tokens.begin(), encoding.tokens.end());
    std::transform(m_behind.begin(), m_behind.end(), std::back_inserter(tokens), token);
    encoding.tokens = std::move(tokens);
    encoding.textBegin += m_before.size();
    for (auto& shown : encoding.shown) shown.token += m_before.size();
  }

 private:
  std::vector<std::int32_t> m_before;
  std::vector<std::int32_t> m_behind;
};

/// Takes spaces at the ends of tokens out of their offsets.
class TrimOffsets final : public PostProcessor {
 public:
  explicit TrimOffsets(bool addPrefixSpace) : m_addPrefixSpace(addPrefixSpace) {}
  void apply(Encoding& encoding, const Vocabulary& vocabulary, bool) const override {
    auto shown = encoding.shown.cbegin();
    for (std::size_t i = 0; i < encoding.tokens.size(); ++i) {
      const bool added = shown != encoding.shown.cend() && shown->token == i;
      const std::string& text = added ? shown->text : vocabulary.piece(encoding.tokens[i].id);
      trim(encoding.tokens[i], text, i == encoding.textBegin);
      if (added) ++shown;
    }
  }

 private:
  static bool isSpace(char32_t character) { return character == 0x120 || isWhitespace(character); }

  void trim(EncodedToken& token, std::string_view text, bool first) const {
    std::int64_t leading = 0;
    std::int64_t trailing = 0;
    bool inside = false;
    for (std::size_t at = 0; at < text.size();) {
      const Utf8Unit unit = utf8At(text, at);
      at += unit.length;
      const bool space = isSpace(unit.character);
      inside = inside || !space;
      if (!inside) ++leading;
      trailing = space ? trailing + 1 : 0;
    }
    // One space in front was put there by add_prefix_space; of several it put in none.
    if (leading == 1 && m_addPrefixSpace && (first || token.begin == 0)) leading = 0;
    token.begin = std::min(token.begin + leading, token.end);
    if (token.end >= trailing) token.end = std::max(token.end - trailing, token.begin);
  }

  bool m_addPrefixSpace;
};

Made makeSequence(const Component& component, const Vocabulary& vocabulary) {
  const Component list = component.at("processors");
  std::vector<Made> steps;
  for (std::size_t i = 0; i < list.listSize(); ++i) {
    steps.push_back(makePostProcessor(list.item(i), vocabulary));
  }
  return std::make_unique<PostProcessorSequence>(std::move(steps));
}

Made makeByteLevel(const Component& component, const Vocabulary&) {
  if (!component.flag("trim_offsets", true))
    return std::make_unique<PostProcessorSequence>(std::vector<Made>{});
  return std::make_unique<TrimOffsets>(component.flag("add_prefix_space", true));
}

void appendSpecial(const Component& component, const std::string& name, const Vocabulary& vocabulary,
                   std::vector<std::int32_t>& ids) {
  const Component list = component.at("special_tokens").at(name.c_str()).at("ids");
  for (std::size_t i = 0; i < list.listSize(); ++i) {
    const std::int32_t id = list.item(i).id();
    if (!vocabulary.contains(id)) {
      list.item(i).refuse("tokenizer.bad_id", fmt::format("the vocabulary has no token {}", id));
    }
    ids.push_back(id);
  }
}

Made makeTemplate(const Component& component, const Vocabulary& vocabulary) {
  const Component single = component.at("single");
  std::vector<std::int32_t> before;
  std::vector<std::int32_t> behind;
  bool seen = false;
  for (std::size_t i = 0; i < single.listSize(); ++i) {
    const Component part = single.item(i);
    if (const Component special = part.at("SpecialToken"); !special.isNull()) {
      appendSpecial(component, special.at("id").text(), vocabulary, seen ? behind : before);
    } else if (part.at("Sequence").at("id").text() == "A" && !seen) {
      seen = true;
    } else {
      part.refuse("tokenizer.bad_value", "the template of one text has the sequence A once");
    }
  }
  if (!seen) single.refuse("tokenizer.bad_value", "the template of one text has the sequence A once");
  return std::make_unique<Template>(std::move(before), std::move(behind));
}

struct Row {
  const char* type;
  Made (*make)(const Component&, const Vocabulary&);
};

constexpr Row kRows[] = {
    {"Sequence", makeSequence},
    {"ByteLevel", makeByteLevel},
    {"TemplateProcessing", makeTemplate},
};

}  // namespace

std::unique_ptr<const PostProcessor> makePostProcessor(const Component& component,
                                                       const Vocabulary& vocabulary) {
  if (component.isNull()) return std::make_unique<PostProcessorSequence>(std::vector<Made>{});
  for (const Row& row : kRows) {
    if (component.type() == row.type) return row.make(component, vocabulary);
  }
  component.unsupported("the post-processor " + shownText(component.type()));
}

}  // namespace moescope::tokenizer
