// What the virtual tables know of the file: its runs, its vocabulary.
#include <algorithm>
#include <utility>

#include "core/base/strict_json.h"
#include "core/trace/run_repair.h"
#include "core/trace/virtual_table.h"

namespace moescope::trace {

namespace {

/// Replaces every byte that is not part of well-formed UTF-8 by U+FFFD.
std::string readable(std::string_view bytes) {
  std::string text;
  std::size_t bad = 0;
  while (!isValidUtf8(bytes, &bad)) {
    text.append(bytes.substr(0, bad)).append("\xEF\xBF\xBD");
    bytes.remove_prefix(std::min(bad + 1, bytes.size()));
  }
  return text.append(bytes);
}

}  // namespace

Result<std::unique_ptr<TableContext>> TableContext::open(Database& database) {
  auto context = std::make_unique<TableContext>();
  context->m_database = &database;
  auto blocks = BlockReader::prepare(database);
  if (!blocks) return fail(blocks.error());
  context->m_blocks = std::move(*blocks);
  auto runs = readRuns(database);
  if (!runs) return fail(runs.error());
  for (const RunRecord& run : *runs) context->m_runs.push_back(run.id);
  return context;
}

std::shared_ptr<const RunView> TableContext::run(RunId id) {
  const auto found = m_views.find(id);
  if (found != m_views.end()) return found->second;
  std::shared_ptr<const RunView> view;
  auto record = readRun(*m_database, id);
  if (record && *record) {
    auto model = readModel(*m_database, (*record)->model);
    auto sequences = readSequences(*m_database, id);
    const auto counts = countRun(*m_database, **record);
    if (model && *model && sequences && counts) {
      auto made = std::make_shared<RunView>();
      made->run = std::move(**record);
      made->run.tokens = counts->tokens;  // a file may claim what it likes
      made->routers = std::move((*model)->routers);
      for (SequenceRecord& sequence : *sequences) made->sequences[sequence.ordinal] = std::move(sequence);
      view = std::move(made);
    }
  }
  m_views[id] = view;
  return view;
}

const std::string* TableContext::tokenText(std::int64_t model, std::int32_t token) {
  const std::pair key(model, token);
  auto found = m_texts.find(key);
  if (found == m_texts.end()) {
    auto bytes = readTokenBytes(*m_database, model, token);
    std::optional<std::string> text;
    if (bytes && *bytes) text = readable(**bytes);
    found = m_texts.emplace(key, std::move(text)).first;
  }
  return found->second ? &*found->second : nullptr;
}

}  // namespace moescope::trace
