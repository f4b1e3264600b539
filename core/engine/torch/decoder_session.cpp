#include "core/engine/torch/decoder_session.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/engine/torch/guarded.h"

namespace moescope::engine {

DecoderSession::DecoderSession(std::shared_ptr<const Model> model, std::unique_ptr<Decoder> decoder)
    : m_model(std::move(model)),
      m_decoder(std::move(decoder)),
      m_buffers(m_model->checkpoint().description()) {}

Result<void> DecoderSession::check(const StepRequest& request) const {
  if (request.ids.empty()) {
    return fail("engine.no_tokens", "", "", "a forward step needs at least one token");
  }
  const auto& description = m_model->checkpoint().description();
  if (description.encoder && request.decode && m_sourceLength == 0) {
    return fail("engine.no_source", "", "", "the decoder's tokens need the encoder's input before them",
                "forward the source first");
  }
  if (description.encoder && !request.decode && m_position > 0) {
    return fail("engine.source_twice", "", fmt::format("position {}", m_position),
                "the encoder's input is one call that begins a sequence", "rewind to 0 for another source");
  }
  const auto tokens = static_cast<std::int64_t>(request.ids.size());
  if (tokens > capacity() - m_position) {
    return fail("engine.context_full", "", fmt::format("position {}", m_position),
                fmt::format("{} more tokens do not fit into the context of {}", tokens, capacity()),
                "shorten the text or open the model with a longer context");
  }
  const auto stray = std::find_if(request.ids.begin(), request.ids.end(), [&](std::int32_t id) {
    return id < 0 || id >= description.vocabularySize;
  });
  if (stray != request.ids.end()) {
    return fail("engine.no_such_token", "", fmt::format("token {}", stray - request.ids.begin()),
                fmt::format("id {} is outside the vocabulary of {}", *stray, description.vocabularySize),
                "use the tokenizer that belongs to the model");
  }
  if (m_plan != nullptr && m_plan->layers.size() != description.routers.size()) {
    return fail("steering.other_model", "", "",
                fmt::format("the plan is for {} routers and the model has {}", m_plan->layers.size(),
                            description.routers.size()),
                "compile the program for this model");
  }
  return {};
}

Result<StepOutput> DecoderSession::forward(const StepRequest& request) {
  if (auto checked = check(request); !checked) return fail(std::move(checked).error());
  return guarded<StepOutput>("a forward step", [&] { return forwardBlocks(request); });
}

Result<StepOutput> DecoderSession::forwardBlocks(const StepRequest& request) {
  // An empty plan is no plan, so that nothing of steering runs without a rule.
  m_buffers.begin(request, m_position, m_plan == nullptr || m_plan->empty() ? nullptr : m_plan);
  const auto tokens = static_cast<std::int64_t>(request.ids.size());
  const std::int64_t block = prefillBlock(m_model->checkpoint().description(), capacity());
  std::int64_t done = 0;
  while (done < tokens) {
    const std::int64_t position = m_position + done;
    const std::int64_t count = std::min(tokens - done, block - position % block);
    const DecoderBlock part{
        request.ids.subspan(static_cast<std::size_t>(done), static_cast<std::size_t>(count)), position,
        static_cast<int>(done), m_position + tokens, request.decode};
    if (auto forwarded = m_decoder->forward(part, m_buffers); !forwarded) {
      return fail(std::move(forwarded).error());
    }
    done += count;
  }
  m_position += tokens;
  if (m_model->checkpoint().description().encoder && !request.decode) m_sourceLength = tokens;
  return m_buffers.finish();
}

void DecoderSession::rewind(std::int64_t position) {
  m_position = std::clamp<std::int64_t>(position, 0, m_position);
  if (m_position >= m_sourceLength) return;
  m_position = m_sourceLength = 0;
}

Result<std::unique_ptr<Session>> DecoderSession::fork() const {
  return guarded<std::unique_ptr<Session>>(
      "a copy of the session", [&]() -> Result<std::unique_ptr<Session>> {
        auto decoder = m_decoder->fork(m_position);
        if (!decoder) return fail(std::move(decoder).error());
        auto copy = std::make_unique<DecoderSession>(m_model, *std::move(decoder));
        copy->m_plan = m_plan;
        copy->m_position = m_position;
        copy->m_sourceLength = m_sourceLength;
        return copy;
      });
}

}  // namespace moescope::engine
