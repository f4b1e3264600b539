// The kernels, written once over a vector type; each variant file defines `Vec` and includes this.
// Not a header for others: everything is in an anonymous namespace, and no function of the standard
// library is called, so that no code of one instruction set can be linked into another variant.
//
// A Vec has kLanes floats; load(pointer), loadPart(pointer, count) that fills with zeros, store,
// storePart, unpack(block, vectors) of a Q8Block or Q4Block, broadcast, multiplyAdd(a, b, c) = a * b + c,
// plus, times, divided, maximum, exponential, sum, largest, and sumOfFour for four vectors at once with the
// same order of additions as sum.
#pragma once

namespace {

using moescope::engine::kBlockElements;
using moescope::engine::kKeyTile;
using moescope::engine::MatmulJob;
using moescope::engine::Storage;

/// Storage of a 16-bit element, so that overloads of Vec::load can tell the formats apart.
struct Bf16 {
  unsigned short bits;
};
struct F16 {
  unsigned short bits;
};

/// ggml's blocks of 32 elements as they lie in memory, at any even address.
struct Q8Block {
  unsigned short scale;  ///< half precision
  signed char values[kBlockElements];
};
struct Q4Block {
  unsigned short scale;
  unsigned char pairs[kBlockElements / 2];  ///< element i in the low half, i + 16 in the high one
};
static_assert(sizeof(Q8Block) == 34 && sizeof(Q4Block) == 18);

constexpr int kBlockVectors = static_cast<int>(kBlockElements / Vec::kLanes);

/// Pointer to the elements from the given one on; with blocks, a whole number of them.
template <class Weight>
inline const Weight* elements(const void* weights, std::int64_t first) {
  return static_cast<const Weight*>(weights) + first;
}
template <>
inline const Q8Block* elements(const void* weights, std::int64_t first) {
  return static_cast<const Q8Block*>(weights) + first / kBlockElements;
}
template <>
inline const Q4Block* elements(const void* weights, std::int64_t first) {
  return static_cast<const Q4Block*>(weights) + first / kBlockElements;
}

/// Rows from memory are too short for the processor to see a stream in each: it is told of the same place R
/// rows further on, which is needed next.
template <int R, bool Streams>
inline void askForNext(const void* row, std::int64_t rowBytes) {
  if constexpr (Streams) __builtin_prefetch(static_cast<const char*>(row) + R * rowBytes, 0, 2);
}

template <int R, int T>
inline void horizontalSums(const Vec (&accumulators)[T][R], float (&sums)[T][R]) {
  for (int t = 0; t < T; ++t) {
    int r = 0;
    for (; r + 4 <= R; r += 4) Vec::sumOfFour(&accumulators[t][r], &sums[t][r]);
    for (; r < R; ++r) sums[t][r] = accumulators[t][r].sum();
  }
}

/// Sums of R rows and T tokens. One accumulator a pair: the order of additions of a pair is fixed.
template <int R, int T, bool Streams, class Weight>
inline void dotTile(const Weight* rows, std::int64_t columns, const float* const* inputs,
                    float (&sums)[T][R]) {
  Vec accumulators[T][R];
  for (int t = 0; t < T; ++t) {
    for (int r = 0; r < R; ++r) accumulators[t][r] = Vec::broadcast(0.0F);
  }
  std::int64_t c = 0;
  for (; c + Vec::kLanes <= columns; c += Vec::kLanes) {
    Vec x[T];
    for (int t = 0; t < T; ++t) x[t] = Vec::load(inputs[t] + c);
    for (int r = 0; r < R; ++r) {
      const Weight* from = rows + r * columns + c;
      askForNext<R, Streams>(from, columns * static_cast<std::int64_t>(sizeof(Weight)));
      const Vec w = Vec::load(from);
      for (int t = 0; t < T; ++t) accumulators[t][r] = Vec::multiplyAdd(w, x[t], accumulators[t][r]);
    }
  }
  if (c < columns) {
    const int rest = static_cast<int>(columns - c);
    Vec x[T];
    for (int t = 0; t < T; ++t) x[t] = Vec::loadPart(inputs[t] + c, rest);
    for (int r = 0; r < R; ++r) {
      const Vec w = Vec::loadPart(rows + r * columns + c, rest);
      for (int t = 0; t < T; ++t) accumulators[t][r] = Vec::multiplyAdd(w, x[t], accumulators[t][r]);
    }
  }
  horizontalSums<R, T>(accumulators, sums);
}

/// The same of quantised rows: every element is widened exactly, and the additions are those above.
template <int R, int T, bool Streams, class Block>
inline void dotTileOfBlocks(const Block* rows, std::int64_t columns, const float* const* inputs,
                            float (&sums)[T][R]) {
  Vec accumulators[T][R];
  for (int t = 0; t < T; ++t) {
    for (int r = 0; r < R; ++r) accumulators[t][r] = Vec::broadcast(0.0F);
  }
  const std::int64_t blocks = columns / kBlockElements;
  for (std::int64_t b = 0; b < blocks; ++b) {
    for (int r = 0; r < R; ++r) {
      Vec w[kBlockVectors];
      const Block* from = rows + r * blocks + b;
      askForNext<R, Streams>(from, blocks * static_cast<std::int64_t>(sizeof(Block)));
      Vec::unpack(*from, w);
      for (int t = 0; t < T; ++t) {
        const float* x = inputs[t] + b * kBlockElements;
        for (int i = 0; i < kBlockVectors; ++i)
          accumulators[t][r] = Vec::multiplyAdd(w[i], Vec::load(x + i * Vec::kLanes), accumulators[t][r]);
      }
    }
  }
  horizontalSums<R, T>(accumulators, sums);
}
template <int R, int T, bool Streams>
inline void dotTile(const Q8Block* rows, std::int64_t columns, const float* const* inputs,
                    float (&sums)[T][R]) {
  dotTileOfBlocks<R, T, Streams>(rows, columns, inputs, sums);
}
template <int R, int T, bool Streams>
inline void dotTile(const Q4Block* rows, std::int64_t columns, const float* const* inputs,
                    float (&sums)[T][R]) {
  dotTileOfBlocks<R, T, Streams>(rows, columns, inputs, sums);
}

template <class Weight, int R, int T, bool Streams = false>
inline void rowsTimesTokens(const MatmulJob& job, std::int64_t row, int token) {
  float sums[T][R];
  dotTile<R, T, Streams>(elements<Weight>(job.weights, row * job.columns), job.columns, job.inputs + token,
                         sums);
  for (int t = 0; t < T; ++t) {
    float* out = job.outputs[token + t] + row;
    if (job.gains == nullptr) {
      for (int r = 0; r < R; ++r) out[r] = sums[t][r];
    } else {
      const float gain = job.gains[token + t];
      for (int r = 0; r < R; ++r) out[r] += gain * sums[t][r];
    }
  }
}

/// R rows for all tokens: the rows stay in the first cache while the tokens stream past.
template <class Weight, int R>
inline void rowGroup(const MatmulJob& job, std::int64_t row) {
  int token = 0;
  for (; token + 4 <= job.tokens; token += 4) rowsTimesTokens<Weight, R, 4>(job, row, token);
  switch (job.tokens - token) {
    case 3: rowsTimesTokens<Weight, R, 3>(job, row, token); break;
    case 2: rowsTimesTokens<Weight, R, 2>(job, row, token); break;
    case 1: rowsTimesTokens<Weight, R, 1>(job, row, token); break;
    default: break;
  }
}

template <class Weight>
void matmulOf(const MatmulJob& job) {
  std::int64_t row = job.firstRow;
  if (job.tokens == 1 && job.streams) {
    for (; row + 8 <= job.endRow; row += 8) rowsTimesTokens<Weight, 8, 1, true>(job, row, 0);
  } else if (job.tokens == 1) {
    for (; row + 8 <= job.endRow; row += 8) rowsTimesTokens<Weight, 8, 1>(job, row, 0);
  }
  for (; row + Vec::kRowsOfTile <= job.endRow; row += Vec::kRowsOfTile) {
    rowGroup<Weight, Vec::kRowsOfTile>(job, row);
  }
  if constexpr (Vec::kRowsOfTile > 4) {
    for (; row + 4 <= job.endRow; row += 4) rowGroup<Weight, 4>(job, row);
  }
  for (; row < job.endRow; ++row) rowGroup<Weight, 1>(job, row);
}

void matmul(const MatmulJob& job) {
  switch (job.storage) {
    case Storage::F32: matmulOf<float>(job); break;
    case Storage::BF16: matmulOf<Bf16>(job); break;
    case Storage::F16: matmulOf<F16>(job); break;
    case Storage::Q8_0: matmulOf<Q8Block>(job); break;
    case Storage::Q4_0: matmulOf<Q4Block>(job); break;
  }
}

template <class Weight>
void widenElements(const Weight* from, std::int64_t count, float* out) {
  std::int64_t i = 0;
  for (; i + Vec::kLanes <= count; i += Vec::kLanes) Vec::load(from + i).store(out + i);
  const int rest = static_cast<int>(count - i);
  if (rest > 0) Vec::loadPart(from + i, rest).storePart(out + i, rest);
}

template <class Block>
void widenBlocks(const Block* from, std::int64_t count, float* out) {
  for (std::int64_t b = 0; b < count / kBlockElements; ++b) {
    Vec w[kBlockVectors];
    Vec::unpack(from[b], w);
    for (int i = 0; i < kBlockVectors; ++i) w[i].store(out + b * kBlockElements + i * Vec::kLanes);
  }
}

void widen(const void* weights, Storage storage, std::int64_t count, float* out) {
  switch (storage) {
    case Storage::F32: widenElements(static_cast<const float*>(weights), count, out); break;
    case Storage::BF16: widenElements(static_cast<const Bf16*>(weights), count, out); break;
    case Storage::F16: widenElements(static_cast<const F16*>(weights), count, out); break;
    case Storage::Q8_0: widenBlocks(static_cast<const Q8Block*>(weights), count, out); break;
    case Storage::Q4_0: widenBlocks(static_cast<const Q4Block*>(weights), count, out); break;
  }
}

void rmsNorm(const float* x, const float* w, float eps, std::int64_t count, float* y) {
  Vec squares = Vec::broadcast(0.0F);
  std::int64_t i = 0;
  for (; i + Vec::kLanes <= count; i += Vec::kLanes) {
    const Vec v = Vec::load(x + i);
    squares = Vec::multiplyAdd(v, v, squares);
  }
  const int rest = static_cast<int>(count - i);
  if (rest > 0) {
    const Vec v = Vec::loadPart(x + i, rest);
    squares = Vec::multiplyAdd(v, v, squares);
  }
  const float mean = squares.sum() / static_cast<float>(count);
  const Vec factor = Vec::broadcast(1.0F / __builtin_sqrtf(mean + eps));
  for (i = 0; i + Vec::kLanes <= count; i += Vec::kLanes) {
    Vec::times(Vec::load(w + i), Vec::times(Vec::load(x + i), factor)).store(y + i);
  }
  if (rest > 0) {
    Vec::times(Vec::loadPart(w + i, rest), Vec::times(Vec::loadPart(x + i, rest), factor))
        .storePart(y + i, rest);
  }
}

inline Vec silu(Vec x) {
  const Vec one = Vec::broadcast(1.0F);
  const Vec negative = Vec::times(x, Vec::broadcast(-1.0F));
  return Vec::divided(x, Vec::plus(one, Vec::exponential(negative)));
}

void siluTimes(float* gate, const float* up, std::int64_t count) {
  std::int64_t i = 0;
  for (; i + Vec::kLanes <= count; i += Vec::kLanes) {
    Vec::times(silu(Vec::load(gate + i)), Vec::load(up + i)).store(gate + i);
  }
  const int rest = static_cast<int>(count - i);
  if (rest > 0) {
    Vec::times(silu(Vec::loadPart(gate + i, rest)), Vec::loadPart(up + i, rest)).storePart(gate + i, rest);
  }
}

void add(float* y, const float* x, std::int64_t count) {
  std::int64_t i = 0;
  for (; i + Vec::kLanes <= count; i += Vec::kLanes)
    Vec::plus(Vec::load(y + i), Vec::load(x + i)).store(y + i);
  for (; i < count; ++i) y[i] += x[i];
}

/// `Tiles` tiles at once only to keep several sums in flight; each key's sum runs over d alone.
template <int Tiles>
inline void scoreTiles(const float* q, const float* keyTiles, int headDim, float scale, float* out) {
  constexpr int kParts = kKeyTile / Vec::kLanes;
  const std::int64_t tileSize = static_cast<std::int64_t>(headDim) * kKeyTile;
  Vec sums[Tiles][kParts];
  for (int tile = 0; tile < Tiles; ++tile) {
    for (int part = 0; part < kParts; ++part) sums[tile][part] = Vec::broadcast(0.0F);
  }
  for (int d = 0; d < headDim; ++d) {
    const Vec channel = Vec::broadcast(q[d]);
    for (int tile = 0; tile < Tiles; ++tile) {
      for (int part = 0; part < kParts; ++part) {
        const Vec keys = Vec::load(keyTiles + tile * tileSize + d * kKeyTile + part * Vec::kLanes);
        sums[tile][part] = Vec::multiplyAdd(keys, channel, sums[tile][part]);
      }
    }
  }
  for (int tile = 0; tile < Tiles; ++tile) {
    for (int part = 0; part < kParts; ++part) {
      Vec::times(sums[tile][part], Vec::broadcast(scale)).store(out + tile * kKeyTile + part * Vec::kLanes);
    }
  }
}

void scores(const float* q, const float* keyTiles, int headDim, std::int64_t keys, float scale, float* out) {
  const std::int64_t tileSize = static_cast<std::int64_t>(headDim) * kKeyTile;
  const std::int64_t tiles = (keys + kKeyTile - 1) / kKeyTile;
  std::int64_t tile = 0;
  for (; tile + 4 <= tiles; tile += 4) {
    scoreTiles<4>(q, keyTiles + tile * tileSize, headDim, scale, out + tile * kKeyTile);
  }
  for (; tile < tiles; ++tile) {
    scoreTiles<1>(q, keyTiles + tile * tileSize, headDim, scale, out + tile * kKeyTile);
  }
}

void softmax(float* values, std::int64_t count) {
  const std::int64_t padded = (count + kKeyTile - 1) / kKeyTile * kKeyTile;
  for (std::int64_t i = count; i < padded; ++i) values[i] = values[0];
  Vec largest = Vec::load(values);
  for (std::int64_t i = Vec::kLanes; i < padded; i += Vec::kLanes) {
    largest = Vec::maximum(largest, Vec::load(values + i));
  }
  const Vec shift = Vec::broadcast(-largest.largest());
  for (std::int64_t i = 0; i < padded; i += Vec::kLanes) {
    Vec::exponential(Vec::plus(Vec::load(values + i), shift)).store(values + i);
  }
  for (std::int64_t i = count; i < padded; ++i) values[i] = 0.0F;
  Vec total = Vec::broadcast(0.0F);
  for (std::int64_t i = 0; i < padded; i += Vec::kLanes) total = Vec::plus(total, Vec::load(values + i));
  const Vec factor = Vec::broadcast(1.0F / total.sum());
  for (std::int64_t i = 0; i < padded; i += Vec::kLanes) {
    Vec::times(Vec::load(values + i), factor).store(values + i);
  }
}

template <int Vectors>
inline void mixColumns(const float* p, const float* values, int headDim, std::int64_t keys, float* out) {
  Vec sums[Vectors];
  for (int v = 0; v < Vectors; ++v) sums[v] = Vec::broadcast(0.0F);
  for (std::int64_t j = 0; j < keys; ++j) {
    const Vec weight = Vec::broadcast(p[j]);
    for (int v = 0; v < Vectors; ++v) {
      sums[v] = Vec::multiplyAdd(weight, Vec::load(values + j * headDim + v * Vec::kLanes), sums[v]);
    }
  }
  for (int v = 0; v < Vectors; ++v) sums[v].store(out + v * Vec::kLanes);
}

void mixValues(const float* p, const float* values, int headDim, std::int64_t keys, float* out) {
  int d = 0;
  for (; d + 4 * Vec::kLanes <= headDim; d += 4 * Vec::kLanes)
    mixColumns<4>(p, values + d, headDim, keys, out + d);
  for (; d + Vec::kLanes <= headDim; d += Vec::kLanes) mixColumns<1>(p, values + d, headDim, keys, out + d);
  const int rest = headDim - d;
  if (rest > 0) {
    Vec sum = Vec::broadcast(0.0F);
    for (std::int64_t j = 0; j < keys; ++j) {
      sum = Vec::multiplyAdd(Vec::broadcast(p[j]), Vec::loadPart(values + j * headDim + d, rest), sum);
    }
    sum.storePart(out + d, rest);
  }
}

constexpr moescope::engine::Kernels kTable{kName, &matmul, &widen,   &rmsNorm,  &siluTimes,
                                           &add,  &scores, &softmax, &mixValues};

}  // namespace
