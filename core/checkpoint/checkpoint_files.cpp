#include "core/checkpoint/checkpoint_files.h"

#include <algorithm>
#include <set>

#include "core/base/strict_json.h"
#include "core/checkpoint/safetensors.h"
#include "core/checkpoint/shown_text.h"

namespace moescope::checkpoint {

namespace {

namespace fs = std::filesystem;

constexpr auto kSingleFile = "model.safetensors";
constexpr auto kIndexFile = "model.safetensors.index.json";
constexpr std::size_t kMaxIndexBytes = 64u << 20;
constexpr auto kIndexAdvice = "fetch the folder again";

/// Errors for everything that may not be opened.
Result<void> requireFile(const fs::path& folder, const std::string& name) {
  switch (presence(folder, name)) {
    case Presence::File: return {};
    case Presence::Outside:
      return fail("index.path_escape", name, "", "is a link that leads out of the checkpoint's folder",
                  "copy the file into the folder");
    case Presence::Other: return fail("file.unreadable", name, "", "is not a file", "fetch the folder again");
    case Presence::Absent: break;
  }
  return fail("index.missing_shard", kIndexFile, shown(name), "the index names a file that is not there",
              "the download seems incomplete; fetch the file");
}

Result<void> addFile(CheckpointFiles& all, const fs::path& folder, const std::string& name) {
  auto file = openSafetensors(folder / name, name);
  if (!file) return fail(file.error());
  for (auto& [tensor, view] : file->tensors) {
    if (all.tensors.contains(tensor)) {
      return fail("index.duplicate_tensor", name, "tensor " + shown(tensor),
                  "is also in " + all.fileOfTensor.at(tensor), kIndexAdvice);
    }
    all.fileOfTensor[tensor] = name;
    all.tensors.emplace(tensor, std::move(view));
  }
  all.files.push_back(std::move(file->file));
  all.headerBytes.push_back(file->headerBytes);
  return {};
}

/// tensor -> file, checked to hold plain names only.
Result<std::map<std::string, std::string>> readIndex(const fs::path& folder) {
  if (auto usable = requireFile(folder, kIndexFile); !usable) return fail(usable.error());
  auto text = readTextFile(folder / kIndexFile, kMaxIndexBytes);
  if (!text) return fail(text.error());
  const auto document = parseStrictJson(*text);
  if (!document) {
    return fail("index.not_json", kIndexFile, shown(document.error().where), shown(document.error().message),
                kIndexAdvice);
  }
  if (!document->is_object() || !document->contains("weight_map") || !(*document)["weight_map"].is_object()) {
    return fail("index.bad_format", kIndexFile, "weight_map", "is missing or not an object", kIndexAdvice);
  }
  std::map<std::string, std::string> map;
  for (const auto& [tensor, file] : (*document)["weight_map"].items()) {
    if (!file.is_string()) {
      return fail("index.bad_format", kIndexFile, shown(tensor), "is not mapped to a file name",
                  kIndexAdvice);
    }
    const auto name = file.get<std::string>();
    const bool plain = !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
                       name.find('\\') == std::string::npos && name.find('\0') == std::string::npos;
    if (!plain) {
      return fail("index.path_escape", kIndexFile, shown(tensor),
                  "is mapped to \"" + shown(name) + "\", which is not a file in the folder",
                  "do not trust this checkpoint");
    }
    map[tensor] = name;
  }
  return map;
}

Result<CheckpointFiles> openSharded(const fs::path& folder) {
  const auto map = readIndex(folder);
  if (!map) return fail(map.error());
  std::set<std::string> shards;
  for (const auto& [tensor, file] : *map) shards.insert(file);
  for (const auto& shard : shards) {
    if (auto usable = requireFile(folder, shard); !usable) return fail(usable.error());
  }
  CheckpointFiles all;
  all.mainFile = kIndexFile;
  for (const auto& shard : shards) {
    if (auto added = addFile(all, folder, shard); !added) return fail(added.error());
  }
  for (const auto& [tensor, file] : *map) {
    const auto found = all.fileOfTensor.find(tensor);
    if (found == all.fileOfTensor.end() || found->second != file) {
      return fail("index.tensor_not_in_shard", kIndexFile, shown(tensor), "is not in " + shown(file),
                  kIndexAdvice);
    }
  }
  return all;
}

}  // namespace

Presence presence(const fs::path& folder, const std::string& name) {
  std::error_code error;
  const auto status = fs::status(folder / name, error);
  if (status.type() == fs::file_type::not_found || error == std::errc::filename_too_long ||
      error == std::errc::too_many_symbolic_link_levels || error == std::errc::not_a_directory) {
    return Presence::Absent;
  }
  // Where looking is forbidden opening is too, and its error says so.
  if (error == std::errc::permission_denied) return Presence::File;
  if (!staysInside(folder, folder / name)) return Presence::Outside;
  return status.type() == fs::file_type::regular ? Presence::File : Presence::Other;
}

bool staysInside(const fs::path& folder, const fs::path& file) {
  std::error_code error;
  const fs::path real = fs::weakly_canonical(file, error);
  fs::path home = fs::canonical(folder, error);
  if (error) return false;
  const auto contains = [&real](const fs::path& place) {
    return std::mismatch(place.begin(), place.end(), real.begin(), real.end()).first == place.end();
  };
  if (contains(home)) return true;
  // models--org--name/snapshots/<revision>/file links to ../../blobs/<hash>.
  const fs::path snapshots = home.parent_path();
  const fs::path repository = snapshots.parent_path();
  return snapshots.filename() == "snapshots" && repository.filename().string().starts_with("models--") &&
         contains(repository);
}

Result<CheckpointFiles> openCheckpointFiles(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    return fail("file.not_found", folder.string(), "", "there is no such folder", "check the path");
  }
  if (presence(folder, kSingleFile) == Presence::Absent) {
    if (presence(folder, kIndexFile) != Presence::Absent) return openSharded(folder);
    return fail("safetensors.missing", folder.string(), "",
                std::string("holds neither ") + kSingleFile + " nor " + kIndexFile,
                "choose a checkpoint folder in the Hugging Face format");
  }
  CheckpointFiles all;
  all.mainFile = kSingleFile;
  if (auto usable = requireFile(folder, kSingleFile); !usable) return fail(usable.error());
  if (auto added = addFile(all, folder, kSingleFile); !added) return fail(added.error());
  return all;
}

}  // namespace moescope::checkpoint
