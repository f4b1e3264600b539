// Node: a template as a tree. Not for making it (parser.h) or running it (evaluator.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/chat/value.h"

namespace moescope::chat {

struct Node;
using NodePtr = std::unique_ptr<const Node>;

/// What a node is, and what its children are (`?` may be null).
enum class NodeKind {
  // Expressions
  Literal,      // value
  Name,         // text
  List,         // items
  Tuple,        // items
  Dict,         // key, value, key, value ...
  Attribute,    // object; text
  Subscript,    // object, index
  Slice,        // object, first?, last?, step?
  Call,         // callee, arguments ...; names of the last ones
  Filter,       // operand, arguments ...; text, names
  Test,         // operand, arguments ...; text, names
  Not,          // operand
  Negative,     // operand
  Binary,       // left, right; text is the operator
  And,          // operands
  Or,           // operands
  Concatenate,  // operands
  Compare,      // first, then others; names are the operators
  Conditional,  // condition, then, otherwise?
  // Statements
  Data,        // text
  Output,      // expression
  Body,        // statements
  If,          // condition, body, condition, body ..., otherwise?
  For,         // iterable, condition?, body, otherwise?; names are the targets
  Set,         // value; names are the targets, or target (Attribute), value
  SetBody,     // body; names has the target
  Macro,       // body, defaults (behind the body, of the last parameters); text, names are parameters
  With,        // body, values ...; names
  FilterBody,  // filter (its operand null), body
  Break,
  Continue,
};

struct Node {
  NodeKind kind = NodeKind::Body;
  int line = 0;
  std::string text;
  std::vector<std::string> names;
  std::vector<NodePtr> children;
  Value value;
  int depth = 1;  ///< of the tree below
};

}  // namespace moescope::chat
