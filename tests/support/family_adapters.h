// The adapters of the built-in plug-ins, for tests that have no plug-in host.
#pragma once

#include "core/checkpoint/model_adapter.h"
#include "plugins/jetmoe/jetmoe_adapter.h"
#include "plugins/minimax/minimax_adapter.h"
#include "plugins/nllb_moe/nllb_adapter.h"
#include "plugins/qwen3_next/qwen3_next_adapter.h"
#include "plugins/switch_transformers/switch_adapter.h"

namespace moescope::tests {

/// From now on checkpoints of these families open.
inline void useFamilyAdapters() {
  static const checkpoint::AdapterList adapters{
      std::make_shared<jetmoe::JetMoeAdapter>(), std::make_shared<minimax::MiniMaxAdapter>(),
      std::make_shared<qwen3_next::Qwen3NextAdapter>(),
      std::make_shared<switch_transformers::SwitchAdapter>(), std::make_shared<nllb_moe::NllbAdapter>()};
  checkpoint::setAdapterSource([] { return adapters; });
}

}  // namespace moescope::tests
