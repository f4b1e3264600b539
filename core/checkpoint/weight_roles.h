// The tensors of a model by role, whatever holds them: views of files, matrices of the CPU kernels,
// LibTorch's. Not for names on disk (family.h).
#pragma once

#include <map>
#include <string>
#include <vector>

namespace moescope::checkpoint {

// M holds a matrix [out, in], V a vector. What a family lacks is absent: a default-constructed M or V.

template <class M, class V>
struct ExpertRoles {
  M gate, up;  ///< [I,H]
  M down;      ///< [H,I]
  V gateBias, upBias, downBias;
  M linear;  ///< [I,H]; multiplies what the gate gives (openmoe)
};

template <class M, class V>
struct MoeRoles {
  M router;      ///< [E,H]
  V routerBias;  ///< [E]
  std::vector<ExpertRoles<M, V>> experts;
  ExpertRoles<M, V> shared;
  M sharedRouter;  ///< [1,H]
};

template <class M, class V>
struct LayerRoles {
  V inputNorm, inputNormBias;                  ///< [H]
  V postAttentionNorm, postAttentionNormBias;  ///< [H]; before the experts where norms come first
  V postFeedForwardNorm;                       ///< [H]; where norms come last
  M query, key, value, output;
  V queryBias, keyBias, valueBias, outputBias;
  V queryNorm, keyNorm;
  V sinks;               ///< [heads]
  M queryDown, queryUp;  ///< latent attention: [rank,H] and [heads * headDim, rank]
  V queryDownBias, queryDownNorm;
  M keyValueDown;  ///< [rank + ropeDim, H]
  M keyValueUp;    ///< [heads * (nopeDim + valueDim), rank]
  V keyValueDownBias, keyValueDownNorm;
  MoeRoles<M, V> moe;
  V extraNorm;              ///< [H]; before `dense` where it follows the experts
  ExpertRoles<M, V> dense;  ///< instead of experts, or after them
};

template <class M, class V>
struct ModelRoles {
  M embedding;                 ///< [vocabulary, H]
  V finalNorm, finalNormBias;  ///< [H]
  M head;                      ///< [vocabulary, H]; the embedding where the head is tied
  V headBias;                  ///< [vocabulary]
  std::vector<LayerRoles<M, V>> layers;
  std::map<std::string, std::vector<M>> ownMatrices;  ///< of an adapter's family, by name; parts of a stack
  std::map<std::string, V> ownVectors;
};

/// Calls `matrix(from, to)` and `vector(from, to)` for every role of both, in the order of the forward pass.
/// `to` may be `from`; else `to` has as many experts as `from` afterwards.
template <class From, class To, class Matrix, class Vector>
void forEachRole(const ExpertRoles<From, From>& from, To& to, const Matrix& matrix, const Vector& vector) {
  matrix(from.linear, to.linear);
  matrix(from.gate, to.gate);
  vector(from.gateBias, to.gateBias);
  matrix(from.up, to.up);
  vector(from.upBias, to.upBias);
  matrix(from.down, to.down);
  vector(from.downBias, to.downBias);
}

template <class From, class To, class Matrix, class Vector>
void forEachRole(const LayerRoles<From, From>& from, To& to, const Matrix& matrix, const Vector& vector) {
  vector(from.inputNorm, to.inputNorm);
  vector(from.inputNormBias, to.inputNormBias);
  matrix(from.query, to.query);
  vector(from.queryBias, to.queryBias);
  matrix(from.queryDown, to.queryDown);
  vector(from.queryDownBias, to.queryDownBias);
  vector(from.queryDownNorm, to.queryDownNorm);
  matrix(from.queryUp, to.queryUp);
  matrix(from.key, to.key);
  vector(from.keyBias, to.keyBias);
  matrix(from.value, to.value);
  vector(from.valueBias, to.valueBias);
  matrix(from.keyValueDown, to.keyValueDown);
  vector(from.keyValueDownBias, to.keyValueDownBias);
  vector(from.keyValueDownNorm, to.keyValueDownNorm);
  matrix(from.keyValueUp, to.keyValueUp);
  vector(from.queryNorm, to.queryNorm);
  vector(from.keyNorm, to.keyNorm);
  vector(from.sinks, to.sinks);
  matrix(from.output, to.output);
  vector(from.outputBias, to.outputBias);
  vector(from.postAttentionNorm, to.postAttentionNorm);
  vector(from.postAttentionNormBias, to.postAttentionNormBias);
  vector(from.postFeedForwardNorm, to.postFeedForwardNorm);
  matrix(from.moe.router, to.moe.router);
  vector(from.moe.routerBias, to.moe.routerBias);
  to.moe.experts.resize(from.moe.experts.size());
  for (std::size_t e = 0; e < from.moe.experts.size(); ++e)
    forEachRole(from.moe.experts[e], to.moe.experts[e], matrix, vector);
  forEachRole(from.moe.shared, to.moe.shared, matrix, vector);
  matrix(from.moe.sharedRouter, to.moe.sharedRouter);
  vector(from.extraNorm, to.extraNorm);
  forEachRole(from.dense, to.dense, matrix, vector);
}

}  // namespace moescope::checkpoint
