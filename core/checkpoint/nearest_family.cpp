#include "core/checkpoint/nearest_family.h"

#include <algorithm>
#include <array>

#include "core/checkpoint/family.h"
#include "core/checkpoint/model_adapter.h"

namespace moescope::checkpoint {

namespace {

/// Keys that say nothing about what a forward pass computes.
bool isAboutTheModel(const std::string& key) {
  constexpr std::array kOther{"architectures",
                              "model_type",
                              "auto_map",
                              "torch_dtype",
                              "dtype",
                              "transformers_version",
                              "initializer_range",
                              "use_cache",
                              "_name_or_path",
                              "pretraining_tp",
                              "router_aux_loss_coef",
                              "output_router_logits",
                              "aux_loss_coef",
                              "aux_loss_alpha",
                              "seq_aux",
                              "quantization_config",
                              "id2label",
                              "label2id",
                              "return_dict",
                              "torchscript"};
  if (std::find(kOther.begin(), kOther.end(), key) != kOther.end()) return false;
  return !key.ends_with("_token_id") && !key.ends_with("dropout") && !key.ends_with("_pdrop");
}

}  // namespace

NearestFamily nearestFamily(const nlohmann::json& config) {
  NearestFamily nearest;
  bool isFirst = true;
  const auto consider = [&](std::string name, const auto& describe) {
    ConfigReader reader(config, {});
    ModelDescription description;
    describe(reader, description);
    std::vector<std::string> unread;
    for (const auto& [key, value] : config.items()) {
      if (isAboutTheModel(key) && !value.is_null() && !reader.keysRead().contains(key)) unread.push_back(key);
    }
    if (!isFirst && unread.size() >= nearest.notUnderstood.size()) return;
    nearest = {std::move(name), std::move(unread)};
    isFirst = false;
  };
  for (const Family& family : families()) consider(std::string(family.modelType), family.describe);
  for (const auto& adapter : knownAdapters()) {
    if (adapter->info().families.empty()) continue;
    consider(
        adapter->info().families.front().modelType,
        [&](ConfigReader& reader, ModelDescription& description) { adapter->describe(reader, description); });
  }
  return nearest;
}

}  // namespace moescope::checkpoint
