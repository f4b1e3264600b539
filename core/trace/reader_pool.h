// ReaderPool: a few read-only connections, each used by one thread at a time. Not for writing.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/trace/block_reader.h"
#include "core/trace/sqlite_handle.h"

namespace moescope::trace {

class ReaderPool {
 public:
  struct Connection {
    Database database;
    BlockReader blocks;
  };

  /// A connection until the lease ends; false if the file could not be opened or the pool is closed.
  class Lease {
   public:
    Lease(ReaderPool& pool, std::unique_ptr<Connection> connection)
        : m_pool(&pool), m_connection(std::move(connection)) {}
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (m_connection) m_pool->giveBack(std::move(m_connection));
    }
    explicit operator bool() const { return m_connection != nullptr; }
    Connection* operator->() const { return m_connection.get(); }

   private:
    ReaderPool* m_pool;
    std::unique_ptr<Connection> m_connection;
  };

  ReaderPool(std::filesystem::path file, int connections) : m_file(std::move(file)), m_free(connections) {}

  /// Waits while all connections are in use.
  Lease lease();
  /// Waits for the leases and closes every connection; later leases are false.
  void close();

 private:
  void giveBack(std::unique_ptr<Connection> connection);
  [[nodiscard]] std::unique_ptr<Connection> open() const;

  const std::filesystem::path m_file;
  std::mutex m_mutex;
  std::condition_variable m_returned;
  std::vector<std::unique_ptr<Connection>> m_idle;
  int m_free;  // connections that may still be handed out
  int m_used = 0;
  bool m_closed = false;
};

}  // namespace moescope::trace
