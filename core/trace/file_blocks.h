// FileBlocks: one run of a file as a BlockSource, through one connection. Not cached.
#pragma once

#include <memory>
#include <vector>

#include "core/trace/block_reader.h"

namespace moescope::trace {

class FileBlocks final : public BlockSource {
 public:
  /// Borrows all three.
  FileBlocks(BlockReader& reader, const RunRecord& run, const std::vector<RouterSpec>& routers)
      : m_reader(reader), m_run(run), m_routers(routers) {}
  std::shared_ptr<const TokenBlock> tokenBlock(RunId run, std::int64_t block) override {
    return m_reader.tokenBlock(run, block);
  }
  std::shared_ptr<const RouteBlock> routeBlock(RunId run, int router, std::int64_t block) override {
    return m_reader.routeBlock(run, router, block, spec(router), m_run.capture);
  }
  std::shared_ptr<const LogitBlock> logitBlock(RunId run, int router, std::int64_t block) override {
    return m_reader.logitBlock(run, router, block, spec(router));
  }
  std::shared_ptr<const BlockSummary> summary(RunId run, int router, int level, std::int64_t block) override {
    return m_reader.summary(run, router, level, block, spec(router));
  }

 private:
  [[nodiscard]] const RouterSpec& spec(int router) const {
    return m_routers[static_cast<std::size_t>(router)];
  }

  BlockReader& m_reader;
  const RunRecord& m_run;
  const std::vector<RouterSpec>& m_routers;
};

}  // namespace moescope::trace
