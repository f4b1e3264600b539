#include "core/tokenizer/symbol_pieces.h"

#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

class SymbolSplit final : public PreTokenizer {
 public:
  explicit SymbolSplit(PrefixTrie symbols) : m_symbols(std::move(symbols)) {}

  void apply(PreTokens& tokens) const override {
    const std::string_view text = tokens.text.text();
    std::vector<TextRange> pieces;
    for (const TextRange& piece : tokens.pieces) {
      std::size_t done = piece.begin;
      for (std::size_t at = piece.begin; at < piece.end;) {
        std::size_t length = 0;
        m_symbols.prefixes(text.substr(at, piece.end - at),
                           [&](std::size_t found, std::int32_t) { length = found; });
        if (length == 0) {
          at += utf8Length(text[at]);
          continue;
        }
        if (done < at) pieces.push_back({done, at});
        pieces.push_back({at, at + length});
        done = at += length;
      }
      if (done < piece.end) pieces.push_back({done, piece.end});
    }
    tokens.pieces = std::move(pieces);
  }

 private:
  PrefixTrie m_symbols;
};

class SymbolEncoder final : public PieceEncoder {
 public:
  SymbolEncoder(const PrefixTrie& symbols, std::unique_ptr<PieceEncoder> encoder)
      : m_symbols(symbols), m_encoder(std::move(encoder)) {}

  void encode(std::string_view piece, std::vector<ModelToken>& tokens) override {
    std::int32_t symbol = -1;
    m_symbols.prefixes(piece, [&](std::size_t length, std::int32_t id) {
      if (length == piece.size()) symbol = id;
    });
    if (symbol >= 0) {
      tokens.push_back({symbol, 0, static_cast<std::uint32_t>(piece.size())});
    } else {
      m_encoder->encode(piece, tokens);
    }
  }

 private:
  const PrefixTrie& m_symbols;
  std::unique_ptr<PieceEncoder> m_encoder;
};

class SymbolModel final : public Model {
 public:
  SymbolModel(PrefixTrie symbols, std::unique_ptr<const Model> model)
      : m_symbols(std::move(symbols)), m_model(std::move(model)) {}
  [[nodiscard]] std::unique_ptr<PieceEncoder> encoder(std::stop_token stop) const override {
    return std::make_unique<SymbolEncoder>(m_symbols, m_model->encoder(std::move(stop)));
  }

 private:
  PrefixTrie m_symbols;
  std::unique_ptr<const Model> m_model;
};

}  // namespace

std::unique_ptr<const PreTokenizer> makeSymbolSplit(PrefixTrie symbols) {
  return std::make_unique<SymbolSplit>(std::move(symbols));
}

std::unique_ptr<const Model> makeSymbolModel(PrefixTrie symbols, std::unique_ptr<const Model> model) {
  return std::make_unique<SymbolModel>(std::move(symbols), std::move(model));
}

}  // namespace moescope::tokenizer
