// Lexer: a template's source to tokens, with Jinja's rules for white space (trim_blocks and lstrip_blocks on,
// as transformers sets them). Not for grammar (parser.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace moescope::chat {

struct Token {
  enum class Kind {
    Data,
    OutputBegin,
    OutputEnd,
    BlockBegin,
    BlockEnd,
    Name,
    Text,
    Integer,
    Float,
    Operator,
    End
  };
  Kind kind = Kind::End;
  std::string text;  ///< of a text literal what it says, else as written
  int line = 1;
};

/// Errors (thrown): `chat.syntax` with the line.
std::vector<Token> tokenize(std::string_view source);

}  // namespace moescope::chat
