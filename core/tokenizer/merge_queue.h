// Queues of the merges that wait in byte-pair encoding: the lowest rank first, then the leftmost pair. Not
// for deciding whether a merge still holds (bpe.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "core/tokenizer/merge_table.h"

namespace moescope::tokenizer {

/// A pair that may merge, unless one of its symbols has merged otherwise meanwhile.
struct WaitingMerge {
  std::int32_t position = 0;  ///< of the left symbol
  std::int32_t id = 0;        ///< what the pair merges into
};

/// A heap, for words.
class WordQueue {
 public:
  /// Before the first pop; ascending positions.
  void add(std::int32_t position, MergeTable::Merge merge) { m_heap.push_back({merge, position}); }
  void order() { std::make_heap(m_heap.begin(), m_heap.end(), after); }
  void push(std::int32_t position, MergeTable::Merge merge) {
    add(position, merge);
    std::push_heap(m_heap.begin(), m_heap.end(), after);
  }
  bool pop(WaitingMerge& merge) {
    if (m_heap.empty()) return false;
    std::pop_heap(m_heap.begin(), m_heap.end(), after);
    merge = {m_heap.back().position, m_heap.back().merge.id};
    m_heap.pop_back();
    return true;
  }

 private:
  struct Entry {
    MergeTable::Merge merge;
    std::int32_t position = 0;
  };
  static bool after(const Entry& a, const Entry& b) {
    return a.merge.rank != b.merge.rank ? a.merge.rank > b.merge.rank : a.position > b.position;
  }
  std::vector<Entry> m_heap;
};

/// A list a rank, for long stretches: merges come nearly in the order of their positions, so that time grows
/// with the length alone, and what is done gives its memory back.
class LongQueue {
 public:
  void add(std::int32_t position, MergeTable::Merge merge) { push(position, merge); }
  void order() {}
  void push(std::int32_t position, MergeTable::Merge merge) {
    Rank& rank = m_ranks[merge.rank];
    if (rank.inOrder.empty() || rank.inOrder.back().position <= position) {
      rank.inOrder.push_back({position, merge.id});
    } else {
      rank.late.push_back({position, merge.id});
      std::push_heap(rank.late.begin(), rank.late.end(), after);
    }
  }
  bool pop(WaitingMerge& merge) {
    while (!m_ranks.empty()) {
      Rank& rank = m_ranks.begin()->second;
      const bool isLate = !rank.late.empty() && (rank.inOrder.empty() ||
                                                 rank.late.front().position < rank.inOrder.front().position);
      if (isLate) {
        std::pop_heap(rank.late.begin(), rank.late.end(), after);
        merge = rank.late.back();
        rank.late.pop_back();
        return true;
      }
      if (!rank.inOrder.empty()) {
        merge = rank.inOrder.front();
        rank.inOrder.pop_front();
        return true;
      }
      m_ranks.erase(m_ranks.begin());
    }
    return false;
  }

 private:
  struct Rank {
    std::deque<WaitingMerge> inOrder;
    std::vector<WaitingMerge> late;  // a heap
  };
  static bool after(const WaitingMerge& a, const WaitingMerge& b) { return a.position > b.position; }
  std::map<std::uint32_t, Rank> m_ranks;
};

}  // namespace moescope::tokenizer
