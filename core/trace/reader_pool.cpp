#include "core/trace/reader_pool.h"

namespace moescope::trace {

std::unique_ptr<ReaderPool::Connection> ReaderPool::open() const {
  auto database = Database::open(m_file, SQLITE_OPEN_READONLY);
  if (!database) return nullptr;
  auto connection = std::make_unique<Connection>();
  connection->database = std::move(*database);
  auto blocks = BlockReader::prepare(connection->database);
  if (!blocks) return nullptr;
  connection->blocks = std::move(*blocks);
  return connection;
}

ReaderPool::Lease ReaderPool::lease() {
  std::unique_lock lock(m_mutex);
  m_returned.wait(lock, [&] { return m_closed || m_free > 0; });
  if (m_closed) return {*this, nullptr};
  --m_free;
  ++m_used;
  std::unique_ptr<Connection> connection;
  if (!m_idle.empty()) {
    connection = std::move(m_idle.back());
    m_idle.pop_back();
    return {*this, std::move(connection)};
  }
  lock.unlock();
  connection = open();
  if (!connection) giveBack(nullptr);
  return {*this, std::move(connection)};
}

void ReaderPool::giveBack(std::unique_ptr<Connection> connection) {
  {
    const std::lock_guard lock(m_mutex);
    if (connection && !m_closed) m_idle.push_back(std::move(connection));
    connection.reset();
    ++m_free;
    --m_used;
  }
  m_returned.notify_all();
}

void ReaderPool::close() {
  std::unique_lock lock(m_mutex);
  m_closed = true;
  m_returned.notify_all();
  m_returned.wait(lock, [&] { return m_used == 0; });
  m_idle.clear();
}

}  // namespace moescope::trace
