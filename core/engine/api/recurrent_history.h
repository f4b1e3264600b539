// RecurrentHistory: what a recurrent layer keeps of one sequence, so that its state can be had again before
// any position: the inputs of every position, and the state once a chunk. Not the recurrence itself, and not
// for attention (AttentionCache).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace moescope::engine {

/// A recurrence that goes token by token gives the same bits whatever was forwarded and forgotten in between.
class RecurrentHistory {
 public:
  /// Positions between two kept states: going back runs through fewer tokens than this.
  static constexpr std::int64_t kChunk = 256;

  /// Floats of a position's inputs, and of the state, which begins as zeros.
  RecurrentHistory(std::size_t inputs, std::size_t state) : m_width(inputs), m_state(state, 0.0F) {
    m_chunks.push_back({{}, m_state});
  }
  /// Bytes that a position costs.
  static std::int64_t bytesPerPosition(std::int64_t inputs, std::int64_t state) {
    return static_cast<std::int64_t>(sizeof(float)) * (inputs + (state + kChunk - 1) / kChunk);
  }

  /// Of a position before which all are there; to be filled before advance().
  [[nodiscard]] float* input(std::int64_t position) {
    Chunk& chunk = m_chunks.at(static_cast<std::size_t>(position / kChunk));
    if (chunk.inputs.empty()) chunk.inputs.resize(static_cast<std::size_t>(kChunk) * m_width);
    return chunk.inputs.data() + static_cast<std::size_t>(position % kChunk) * m_width;
  }
  [[nodiscard]] const float* input(std::int64_t position) const {
    return m_chunks.at(static_cast<std::size_t>(position / kChunk)).inputs.data() +
           static_cast<std::size_t>(position % kChunk) * m_width;
  }
  [[nodiscard]] float* state() { return m_state.data(); }

  /// Makes state() what it is before `position`; `run(first, end)` takes it through these positions.
  template <class Run>
  void seek(std::int64_t position, const Run& run) {
    if (position < m_position || position / kChunk != m_position / kChunk) {
      m_position = position / kChunk * kChunk;
      m_state = m_chunks.at(static_cast<std::size_t>(position / kChunk)).state;
    }
    advance(position, run);
  }
  /// Takes state() on to what it is before `end`; `run` is called for parts that follow each other. Their
  /// inputs are there.
  template <class Run>
  void advance(std::int64_t end, const Run& run) {
    while (m_position < end) {
      const std::int64_t stop = std::min(end, (m_position / kChunk + 1) * kChunk);
      run(m_position, stop);
      m_position = stop;
      if (stop % kChunk == 0) keepState();
    }
  }
  /// Makes room for the inputs of the positions before `end`; those before `position` are there.
  void require(std::int64_t end) {
    while (static_cast<std::int64_t>(m_chunks.size()) * kChunk < end) m_chunks.push_back({{}, {}});
  }

  /// What `other`, of the same widths, holds before `position`.
  void copyFrom(const RecurrentHistory& other, std::int64_t position) {
    const std::int64_t chunk = position / kChunk;
    m_chunks.assign(other.m_chunks.begin(), other.m_chunks.begin() + chunk + 1);
    m_position = chunk * kChunk;
    m_state = m_chunks.back().state;
  }

 private:
  struct Chunk {
    std::vector<float> inputs;  ///< [kChunk, width]
    std::vector<float> state;   ///< before the chunk's first position
  };

  void keepState() {
    const auto index = static_cast<std::size_t>(m_position / kChunk);
    require((static_cast<std::int64_t>(index) + 1) * kChunk);
    m_chunks[index].state = m_state;
  }

  std::size_t m_width;
  std::vector<Chunk> m_chunks;
  std::vector<float> m_state;
  std::int64_t m_position = 0;  ///< that m_state stands before
};

}  // namespace moescope::engine
