#include "core/plugin/plugin_metadata.h"

#include <algorithm>
#include <array>

#include "core/base/strict_json.h"
#include "core/checkpoint/shown_text.h"
#include "core/plugin/plugin_registry.h"

namespace moescope::plugin {

namespace {

constexpr std::size_t kMostBytes = 64 << 10;
constexpr std::size_t kLongestId = 64;
constexpr std::array<std::string_view, 6> kKeys{"id", "name", "version", "api", "interfaces", "description"};
constexpr std::array<std::string_view, 4> kInterfaces{"analysis", "exporter", "view", "adapter"};

template <class List>
bool has(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

/// Reads the keys of one file and names it in every error.
class MetadataReader {
 public:
  explicit MetadataReader(const std::string& file) : m_file(file) {}

  Result<PluginMetadata> read(std::string_view text) const {
    const auto parsed = parseStrictJson(text, {.maxDepth = 8, .maxBytes = kMostBytes});
    if (!parsed) return bad(parsed.error().where, parsed.error().message);
    if (!parsed->is_object()) return bad("", "plugin.json is not an object");
    PluginMetadata metadata;
    if (auto api = readApi(*parsed); !api) return fail(api.error());
    metadata.api = kPluginApi;
    for (const auto& [key, value] : parsed->items()) {
      if (!has(kKeys, key)) return bad("key " + shown(key), "this key is not known");
    }
    for (const auto& [key, target] :
         {std::pair{"id", &metadata.id}, std::pair{"name", &metadata.name},
          std::pair{"version", &metadata.version}, std::pair{"description", &metadata.description}}) {
      const auto found = parsed->find(key);
      if (found == parsed->end() || !found->is_string() || found->get_ref<const std::string&>().empty())
        return bad(std::string("key ") + key, "a text is expected");
      *target = shown(found->get<std::string>(), 400);
    }
    if (!isId(metadata.id))
      return bad("key id", "a lower-case letter, then letters, digits and underscores are expected");
    if (auto done = readInterfaces(*parsed, metadata); !done) return fail(done.error());
    return metadata;
  }

 private:
  [[nodiscard]] tl::unexpected<Error> bad(std::string where, std::string message) const {
    return fail("plugin.bad_metadata", m_file, std::move(where), std::move(message), "see docs/plugins.md");
  }

  [[nodiscard]] Result<void> readApi(const nlohmann::json& json) const {
    const auto api = json.find("api");
    if (api == json.end() || !api->is_number_integer()) return bad("key api", "a whole number is expected");
    if (*api == kPluginApi) return {};
    return fail(
        "plugin.other_api", m_file, "key api",
        "the plug-in is made for API " + api->dump() + ", this program has " + std::to_string(kPluginApi),
        "get the version of the plug-in for this MoEScope");
  }

  static bool isId(const std::string& id) {
    const auto isLetter = [](char c) { return c >= 'a' && c <= 'z'; };
    return id.size() <= kLongestId && isLetter(id.front()) && std::all_of(id.begin(), id.end(), [&](char c) {
             return isLetter(c) || (c >= '0' && c <= '9') || c == '_';
           });
  }

  Result<void> readInterfaces(const nlohmann::json& json, PluginMetadata& metadata) const {
    const auto list = json.find("interfaces");
    if (list == json.end() || !list->is_array() || list->empty())
      return bad("key interfaces", "a list of analysis, exporter, view and adapter is expected");
    for (const auto& word : *list) {
      if (!word.is_string() || !has(kInterfaces, word.get_ref<const std::string&>()))
        return bad("key interfaces",
                   checkpoint::shownValue(word) + " is none of analysis, exporter, view and adapter");
      metadata.interfaces.insert(word.get<std::string>());
    }
    return {};
  }

  const std::string& m_file;
};

}  // namespace

Result<PluginMetadata> pluginMetadata(std::string_view json, const std::string& file) {
  return MetadataReader(file).read(json);
}

}  // namespace moescope::plugin
