// What `generate` and `record` share: the model to run, its steering programs and the trace to record into.
// Not a subcommand.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "core/engine/api/engine.h"
#include "core/steering/steering_program.h"
#include "core/tokenizer/tokenizer.h"
#include "core/trace/trace_store.h"

namespace moescope::cli {

struct ModelOptions {
  std::filesystem::path folder;
  std::string definition = "authors";  ///< the word of --compat
  std::string device = "auto";
  engine::Dtype dtype = engine::Dtype::Auto;
  std::filesystem::path roundedFolder;
  int threads = 0;
};

/// --dtype.
void addDtypeOption(CLI::App& command, engine::Dtype& dtype);
/// --rounded-folder.
void addRoundedFolderOption(CLI::App& command, std::filesystem::path& folder);
/// --device, --dtype, --rounded-folder and --threads.
void addDeviceOptions(CLI::App& command, ModelOptions& options);
/// --model and those.
/// `--compat`: whose definition counts where transformers and a model's authors disagree.
void addCompatOption(CLI::App& command, std::string& word);
checkpoint::Definition definitionNamed(const std::string& word);
void addModelOptions(CLI::App& command, ModelOptions& options);
engine::LoadOptions loadOptions(const ModelOptions& options);

struct RunnableModel {
  std::shared_ptr<engine::Model> model;
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer;
};
/// Loads what is to run with these steering programs; whether they fit is found out first. Errors: those of
/// the checkpoint, the programs, the tokenizer and the engine.
Result<RunnableModel> openModel(const ModelOptions& options, const std::vector<std::string>& programs,
                                const ProgressCallback& progress, std::stop_token stop);

/// --capture, a word of trace::CaptureLevel.
void addCaptureOption(CLI::App& command, std::string& word);
trace::CaptureLevel captureLevel(const std::string& word);

/// The rules of all files as one program; ids that meet are numbered anew.
Result<steering::SteeringProgram> readPrograms(const std::vector<std::string>& files);

/// Opens a trace to add a run to, or makes a new one.
Result<std::shared_ptr<trace::TraceStore>> openForRecording(const std::filesystem::path& file);

}  // namespace moescope::cli
