#include "app/cli/run_options.h"

#include <map>

#include "core/base/mapped_file.h"
#include "core/checkpoint/checkpoint.h"
#include "core/engine/generation/checkpoint_tokenizer.h"
#include "core/steering/steering_plan.h"

namespace moescope::cli {

namespace {

constexpr std::size_t kMaxProgramBytes = 16U << 20;

/// Errors: those of steering::compile, with the file whose rules do not fit, or all of them where only
/// together they do not.
Result<void> fitPrograms(const std::vector<std::string>& files, const std::vector<RouterSpec>& routers) {
  std::string names;
  for (const auto& file : files) {
    const auto program = readPrograms({file});
    if (!program) return fail(program.error());
    if (auto plan = steering::compile(*program, routers, file); !plan) return fail(plan.error());
    names += (names.empty() ? "" : ", ") + file;
  }
  const auto all = readPrograms(files);
  if (!all) return fail(all.error());
  if (auto plan = steering::compile(*all, routers, names); !plan) return fail(plan.error());
  return {};
}

}  // namespace

void addDtypeOption(CLI::App& command, engine::Dtype& dtype) {
  static const std::map<std::string, engine::Dtype> kDtypes{
      {"auto", engine::Dtype::Auto}, {"f32", engine::Dtype::F32},   {"bf16", engine::Dtype::BF16},
      {"f16", engine::Dtype::F16},   {"q8_0", engine::Dtype::Q8_0}, {"q4_0", engine::Dtype::Q4_0}};
  std::vector<std::string> names;
  names.reserve(kDtypes.size());
  for (const auto& [name, value] : kDtypes) names.push_back(name);
  command
      .add_option_function<std::string>(
          "--dtype", [&dtype](const std::string& name) { dtype = kDtypes.at(name); },
          "auto, f32, bf16 or f16; q8_0 or q4_0: weights rounded to 8 or 4 bits, on the CPU")
      ->check(CLI::IsMember(names))
      ->default_str("auto");
}

void addRoundedFolderOption(CLI::App& command, std::filesystem::path& folder) {
  command
      .add_option("--rounded-folder", folder,
                  "Keeps weights of q8_0 and q4_0 in this folder, so that the next load need not round them")
      ->type_name("DIR");
}

void addDeviceOptions(CLI::App& command, ModelOptions& options) {
  command.add_option("--device", options.device, "auto, cpu, cuda or cuda:N")->capture_default_str();
  addDtypeOption(command, options.dtype);
  addRoundedFolderOption(command, options.roundedFolder);
  command.add_option("--threads", options.threads, "Threads of the engine; 0: all cores but one")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
}

void addCompatOption(CLI::App& command, std::string& word) {
  command
      .add_option("--compat", word, "Whose definition counts where they disagree: authors or transformers")
      ->check(CLI::IsMember({"authors", "transformers"}))
      ->capture_default_str();
}

checkpoint::Definition definitionNamed(const std::string& word) {
  return word == "transformers" ? checkpoint::Definition::Transformers : checkpoint::Definition::Authors;
}

void addModelOptions(CLI::App& command, ModelOptions& options) {
  command
      .add_option("-m,--model", options.folder,
                  "Checkpoint folder in the Hugging Face format, or a GGUF file")
      ->type_name("DIR")
      ->required();
  addDeviceOptions(command, options);
  addCompatOption(command, options.definition);
}

engine::LoadOptions loadOptions(const ModelOptions& options) {
  engine::LoadOptions load;
  load.device = options.device;
  load.dtype = options.dtype;
  load.roundedFolder = options.roundedFolder;
  load.threads = options.threads;
  return load;
}

Result<RunnableModel> openModel(const ModelOptions& options, const std::vector<std::string>& programs,
                                const ProgressCallback& progress, std::stop_token stop) {
  auto checkpoint = checkpoint::Checkpoint::open(options.folder, {}, definitionNamed(options.definition));
  if (!checkpoint) return fail(checkpoint.error());
  if (auto fits = fitPrograms(programs, (*checkpoint)->description().routers); !fits)
    return fail(fits.error());
  auto tokenizer = engine::openTokenizer(**checkpoint);
  if (!tokenizer) return fail(tokenizer.error());
  auto engine = engine::loadEngine();
  if (!engine) return fail(engine.error());
  auto model = (*engine)->load(*checkpoint, loadOptions(options), progress, std::move(stop));
  if (!model) return fail(model.error());
  return RunnableModel{*std::move(model), *std::move(tokenizer)};
}

void addCaptureOption(CLI::App& command, std::string& word) {
  command.add_option("--capture", word, "What is recorded of each decision: none, ids, weights or full")
      ->check(CLI::IsMember({"none", "ids", "weights", "full"}))
      ->capture_default_str();
}

trace::CaptureLevel captureLevel(const std::string& word) {
  return trace::captureLevelFrom(word).value_or(trace::CaptureLevel::Weights);
}

Result<steering::SteeringProgram> readPrograms(const std::vector<std::string>& files) {
  steering::SteeringProgram all;
  for (const auto& file : files) {
    const auto text = readTextFile(file, kMaxProgramBytes);
    if (!text) return fail(text.error());
    auto program = steering::parseProgram(*text, file);
    if (!program) return fail(program.error());
    if (all.rules.empty()) {
      all = *std::move(program);
      continue;
    }
    for (auto& rule : program->rules) {
      const bool ownPriority = rule.priority != rule.id;
      if (all.find(rule.id) != nullptr) rule.id = all.nextId();
      if (!ownPriority) rule.priority = rule.id;
      all.rules.push_back(std::move(rule));
    }
  }
  return all;
}

Result<std::shared_ptr<trace::TraceStore>> openForRecording(const std::filesystem::path& file) {
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) {
    return trace::TraceStore::open(file, trace::OpenMode::ReadWrite);
  }
  return trace::TraceStore::create(file);
}

}  // namespace moescope::cli
