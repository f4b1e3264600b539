// TensorSource: takes the tensors of opened files by name, with shape and dtype checked, and remembers what
// was wrong and what was used. Not for knowing which names a family has (family.h, weight_map.h).
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/checkpoint_files.h"
#include "core/checkpoint/model_description.h"

namespace moescope::checkpoint {

/// Matrices [blocks of rows, columns] in MXFP4 (OCP microscaling formats, v1.0): values U8
/// [E, rows, columns / 32, 16], the low half of a byte first, and exponents U8 [E, rows, columns / 32], bias
/// 127.
struct Microscaled {
  TensorView values, scales;
  std::int64_t rows = 0, columns = 0;

  [[nodiscard]] bool exists() const { return values.exists() && scales.exists(); }
  /// `count` rows of an expert from `first`, every `step`-th.
  [[nodiscard]] TensorView rowsOf(std::int64_t expert, std::int64_t first, std::int64_t count,
                                  std::int64_t step) const;
};

class TensorSource {
 public:
  /// `embeddingName` is looked up to learn whether all names have the prefix of a multimodal file.
  TensorSource(const CheckpointFiles& files, std::string_view embeddingName,
               const QuantisationSpec& quantisation);

  /// Null if there is none.
  [[nodiscard]] const TensorView* find(const std::string& name) const;
  /// A tensor of real numbers; float8 comes with its scales. A view that does not exist where it is missing
  /// or does not fit.
  TensorView take(const std::string& name, const std::vector<std::int64_t>& shape);
  /// The pair `<name>_blocks` and `<name>_scales`.
  Microscaled takeMicroscaled(const std::string& name, std::int64_t experts, std::int64_t rows,
                              std::int64_t columns);
  /// A copy of a used tensor: neither unused nor counted as parameters.
  void leave(const std::string& name) { m_spare.insert(m_prefix + name); }

  void addProblem(const char* kind, const std::string& tensor, std::string text);
  [[nodiscard]] bool hasProblems() const { return !m_problems.empty(); }
  /// A config may ask for far more layers and experts than any file has; then it is no use to go on.
  [[nodiscard]] bool isHopeless() const { return m_missing >= 100'000; }
  /// All problems in one error, at most 20 named, then a count.
  [[nodiscard]] tl::unexpected<Error> error() const;

  /// Numbers in all tensors that were taken, scales left out.
  [[nodiscard]] std::int64_t usedElements() const;
  /// Names of what was not taken; `layerPrefix` (up to the number) tells layers past the last, which are left
  /// out: multi-token prediction.
  [[nodiscard]] std::vector<std::string> unused(std::string_view layerPrefix, int layers) const;

 private:
  TensorView withScales(const TensorView& tensor, const std::string& name);
  TensorView takeBytes(const std::string& name, const std::vector<std::int64_t>& shape, bool isScales);

  struct Problem {
    const char* kind;
    std::string file, text;
  };
  const CheckpointFiles& m_files;
  QuantisationSpec m_quantisation;
  std::string m_prefix;
  std::set<std::string> m_used;
  std::set<std::string> m_scales;  ///< of quantised tensors
  std::set<std::string> m_packed;  ///< two numbers a byte
  std::set<std::string> m_spare;
  std::vector<Problem> m_problems;
  std::int64_t m_problemCount = 0;
  std::int64_t m_missing = 0;
};

}  // namespace moescope::checkpoint
