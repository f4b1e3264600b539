// What the virtual tables know of the file: its runs, its vocabulary.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

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

/// One run's blocks through the context's reader and caches.
class TableContext::Blocks final : public BlockSource {
 public:
  explicit Blocks(TableContext& context) : m_context(context) {}

  void show(const RunView& view) { m_view = &view; }

  std::shared_ptr<const TokenBlock> tokenBlock(RunId run, std::int64_t block) override {
    return cached(m_tokens, {run, 0, 0, block}, kTokenBlockBytes, "tokens",
                  [&] { return m_context.m_reader.tokenBlock(run, block); });
  }
  std::shared_ptr<const RouteBlock> routeBlock(RunId run, int router, std::int64_t block) override {
    const RouterSpec& spec = specOf(router);
    return cached(m_routes, {run, router, 0, block},
                  std::size_t{kBlockTokens} * 8 * static_cast<std::size_t>(spec.topK), "choices", [&] {
                    return m_context.m_reader.routeBlock(run, router, block, spec, m_view->run.capture);
                  });
  }
  std::shared_ptr<const LogitBlock> logitBlock(RunId run, int router, std::int64_t block) override {
    const RouterSpec& spec = specOf(router);
    return cached(m_logits, {run, router, 0, block},
                  std::size_t{kBlockTokens} * 2 * static_cast<std::size_t>(spec.experts), "logits",
                  [&] { return m_context.m_reader.logitBlock(run, router, block, spec); });
  }
  std::shared_ptr<const BlockSummary> summary(RunId run, int router, int level, std::int64_t block) override {
    const RouterSpec& spec = specOf(router);
    return cached(m_summaries, {run, router, level, block},
                  std::size_t{12} * static_cast<std::size_t>(spec.experts), "summary",
                  [&] { return m_context.m_reader.summary(run, router, level, block, spec); });
  }

 private:
  static constexpr std::size_t kTokenBlockBytes = std::size_t{kBlockTokens} * 61;
  static constexpr std::size_t kCacheBytes = 8 << 20;

  [[nodiscard]] const RouterSpec& specOf(int router) const {
    return m_view->routers[static_cast<std::size_t>(router)];
  }

  template <class Block, class Read>
  std::shared_ptr<const Block> cached(BlockCache<Block>& cache, const BlockKey& key, std::size_t bytes,
                                      const char* what, Read&& read) {
    if (auto known = cache.find(key)) return known;
    std::shared_ptr<const Block> block = read();
    if (!block) return block;
    if (block->damaged)
      m_context.warnOnce(fmt::format("run {}, router {}, block {}: the {} are damaged and left out", key.run,
                                     key.router, key.block, what));
    cache.put(key, block, bytes);
    return block;
  }

  TableContext& m_context;
  const RunView* m_view = nullptr;
  BlockCache<TokenBlock> m_tokens{kCacheBytes};
  BlockCache<RouteBlock> m_routes{kCacheBytes};
  BlockCache<LogitBlock> m_logits{kCacheBytes};
  BlockCache<BlockSummary> m_summaries{kCacheBytes};
};

TableContext::TableContext() : m_blocks(std::make_unique<Blocks>(*this)) {}
TableContext::~TableContext() = default;

void TableContext::watch(std::function<bool()> stopped, std::function<void(const std::string&)> warn) {
  m_stopped = std::move(stopped);
  m_warn = std::move(warn);
}

void TableContext::warnOnce(const std::string& text) {
  if (m_warned.insert(text).second && m_warn) m_warn(text);
}

BlockSource& TableContext::blocks(const RunView& view) {
  m_blocks->show(view);
  return *m_blocks;
}

Result<std::unique_ptr<TableContext>> TableContext::open(Database& database) {
  auto context = std::make_unique<TableContext>();
  context->m_database = &database;
  auto blocks = BlockReader::prepare(database);
  if (!blocks) return fail(blocks.error());
  context->m_reader = std::move(*blocks);
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
