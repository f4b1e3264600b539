#include "core/engine/generation/live_session.h"

#include "core/engine/generation/live_worker.h"

namespace moescope::engine {

LiveSession::LiveSession(EngineFactory factory) : m_worker(std::make_unique<Worker>(std::move(factory))) {}

LiveSession::~LiveSession() = default;

void LiveSession::setReceiver(std::function<void(const LiveEvent&)> receiver) {
  m_worker->setReceiver(std::move(receiver));
}

void LiveSession::loadModel(std::filesystem::path folder, LoadOptions options) {
  m_worker->post(CommandKind::Load, [folder = std::move(folder), options = std::move(options)](
                                        Worker& worker, std::stop_token stop) {
    worker.loadModel(folder, options, std::move(stop));
  });
}

void LiveSession::unloadModel() {
  m_worker->post(CommandKind::Unload, [](Worker& worker, std::stop_token) { worker.unloadModel(); });
}

std::future<void> LiveSession::setStore(std::shared_ptr<trace::TraceStore> store) {
  return m_worker->postStore(std::move(store));
}

void LiveSession::generate(GenerationSettings settings) {
  m_worker->post(CommandKind::Write, [settings = std::move(settings)](Worker& worker, std::stop_token stop) {
    worker.generate(settings, std::move(stop));
  });
}

void LiveSession::stepOne() {
  m_worker->post(CommandKind::Extend,
                 [](Worker& worker, std::stop_token stop) { worker.stepOne(std::move(stop)); });
}

void LiveSession::resume(int moreTokens) {
  m_worker->post(CommandKind::Extend, [moreTokens](Worker& worker, std::stop_token stop) {
    worker.resume(moreTokens, std::move(stop));
  });
}

void LiveSession::continueFrom(std::int64_t row) {
  m_worker->post(CommandKind::Write,
                 [row](Worker& worker, std::stop_token stop) { worker.continueFrom(row, std::move(stop)); });
}

std::future<void> LiveSession::endText() {
  auto done = std::make_shared<std::promise<void>>();
  auto future = done->get_future();
  m_worker->post(CommandKind::Write, [done](Worker& worker, std::stop_token) {
    worker.endText();
    done->set_value();
  });
  return future;
}

void LiveSession::stop() { m_worker->stop(); }

void LiveSession::setProgram(steering::SteeringProgram program, SteeringMode mode) {
  m_worker->post(CommandKind::Program,
                 [program = std::move(program), mode](Worker& worker, std::stop_token stop) {
                   worker.setProgram(program, mode, std::move(stop));
                 });
}

void LiveSession::recordCorpus(CorpusSettings settings) {
  m_worker->post(CommandKind::Corpus, [settings = std::move(settings)](Worker& worker, std::stop_token stop) {
    worker.recordCorpus(settings, std::move(stop));
  });
}

void LiveSession::recordSeries(SeriesSettings settings) {
  m_worker->post(CommandKind::Corpus, [settings = std::move(settings)](Worker& worker, std::stop_token stop) {
    worker.recordSeries(settings, std::move(stop));
  });
}

LiveStatus LiveSession::status() const { return m_worker->status(); }

std::shared_ptr<Model> LiveSession::model() const { return m_worker->model(); }

std::shared_ptr<const tokenizer::Tokenizer> LiveSession::tokenizer() const { return m_worker->tokenizer(); }

std::vector<steering::RuleEffect> LiveSession::effects() const { return m_worker->effects(); }

}  // namespace moescope::engine
