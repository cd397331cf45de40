#include "gearman/sdk/config.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/sdk/internal/config/config_content.h"
#include "gearman/sdk/internal/config/encoding.h"
#include "gearman/sdk/internal/config/enums.h"
#include "gearman/sdk/internal/config/library_names.h"
#include "gearman/sdk/internal/config/overlay.h"
#include "gearman/sdk/internal/config/places.h"
#include "gearman/sdk/internal/config/reader.h"
#include "gearman/sdk/internal/config/rules.h"
#include "gearman/sdk/internal/config/unlinked.h"
#include "gearman/sdk/plugin_loader.h"
#include "gearman/sdk/plugin_registry.h"
#include "gearman/text/safe_text.h"
#include "gearman/transports/address.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"

namespace gearman {
namespace {

using config::GearmanConfig;
using internal::ElementPath;
using internal::ErrorAt;
using internal::Places;

constexpr char kServersVariable[] = "GEARMAN_SERVERS";
// gearmand keeps this many bytes of a worker's id. The prefix leaves room for
// the task in the 8,180 bytes of a packet's arguments.
constexpr size_t kLongestClientId = 127;
constexpr size_t kLongestPrefix = 4096;
// A handle of at most 63 bytes ends in ":" and a number of up to 20 digits.
constexpr size_t kLongestHandlePrefix = 42;

// No config is this large; a device or a log given by mistake is.
constexpr size_t kLargestFile = 16 << 20;

internal::ReadOptions ReadOptionsFor(absl::string_view source,
                                     const PluginRegistry& registry) {
  internal::ReadOptions options;
  options.source = std::string(source);
  options.known_types = registry.config_types();
  options.expected = internal::ExpectedAt;
  return options;
}

// Loads the libraries. With `left_out`, describes each failure there and goes
// on; without it, returns the first failure.
absl::Status LoadLibraries(const std::vector<std::string>& paths,
                           absl::string_view source,
                           std::vector<std::string>* left_out,
                           PluginRegistry* registry) {
  for (const std::string& path : paths) {
    const absl::Status status = LoadPluginLibrary(path, registry);
    if (status.ok()) continue;
    std::string text =
        absl::StrCat(source, ": plugin_libraries: ", status.message());
    if (left_out == nullptr) return absl::Status(status.code(), text);
    left_out->push_back(std::move(text));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> BytesOf(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (file) {
    char buffer[4096];
    while (file.read(buffer, sizeof(buffer)) || file.gcount() > 0) {
      text.append(buffer, static_cast<size_t>(file.gcount()));
      if (text.size() > kLargestFile) {
        return absl::InvalidArgumentError(absl::StrCat(
            path, ": larger than ", kLargestFile, " bytes; is this a config?"));
      }
    }
    if (file.eof() && !file.bad()) return text;
  }
  const int error = errno;
  return absl::Status(
      error == EACCES   ? absl::StatusCode::kPermissionDenied
      : error == ENOENT ? absl::StatusCode::kNotFound
                        : absl::StatusCode::kInvalidArgument,
      absl::StrCat(path, ": can't be read: ",
                   error == 0 ? "unknown error" : std::strerror(error)));
}

// Whether the address has port 0, which stands for another free port each time.
bool IsAnyPort(const Address& address) {
  if (address.scheme != "tcp" && address.scheme != "tls") return false;
  const absl::StatusOr<HostPort> parsed = ParseHostPort(address.authority);
  return parsed.ok() && parsed->port == 0;
}

// Checks that each of `texts` is an address and that none is there twice.
// `list` is the path of the list.
template <typename Texts>
absl::Status CheckAddresses(const Texts& texts, absl::string_view list,
                            const Places& places) {
  absl::flat_hash_set<std::string> seen;
  for (int i = 0; i < texts.size(); ++i) {
    const std::string path = ElementPath(list, i);
    const absl::StatusOr<Address> address = ParseAddress(texts.Get(i));

    if (!address.ok()) {
      return ErrorAt(places.Describe(path), path, address.status().message());
    }
    if (!seen.insert(address->ToString()).second && !IsAnyPort(*address)) {
      return ErrorAt(
          places.Describe(path), path,
          absl::StrCat(address->ToString(), " is given twice; keep one"));
    }
  }
  return absl::OkStatus();
}

// Checks a text that is an argument of a packet and that servers list.
absl::Status CheckText(absl::string_view text, size_t longest,
                       absl::string_view path, const Places& places) {
  const absl::Status listable = CheckListable("the text", text);
  if (!listable.ok()) {
    return ErrorAt(places.Describe(path), path, listable.message());
  }
  if (text.size() > longest) {
    return ErrorAt(
        places.Describe(path), path,
        absl::StrCat("a text of ", text.size(),
                     " bytes is not valid: expected at most ", longest));
  }
  return absl::OkStatus();
}

}  // namespace

PluginRegistry& DefaultPluginRegistry() { return PluginRegistry::Default(); }

EnvironmentLookup ProcessEnvironment() {
  return [](StringView name) -> std::optional<std::string> {
    const char* const value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

Config::Config(GearmanConfig message, StringView source)
    : content_(std::make_unique<internal::ConfigContent>(
          internal::ConfigContent{std::move(message), Places(source)})) {}

Config::Config() : Config(GearmanConfig()) {}

Config::Config(const Config& other)
    : content_(std::make_unique<internal::ConfigContent>(*other.content_)) {}

Config& Config::operator=(const Config& other) {
  if (this != &other) *this = Config(other);
  return *this;
}

Config::Config(Config&& other) noexcept = default;
Config& Config::operator=(Config&& other) noexcept = default;
Config::~Config() = default;

const GearmanConfig& Config::message() const { return content_->message; }

absl::StatusOr<Config> Config::Read(StringView bytes, bool json,
                                    StringView source,
                                    std::vector<std::string>* left_out,
                                    PluginRegistry& registry) {
  const absl::StatusOr<absl::string_view> text =
      internal::TextOf(bytes, source);
  if (!text.ok()) return text.status();
  const std::optional<std::vector<std::string>> libraries =
      json ? internal::LibraryNamesInJson(*text)
           : internal::LibraryNamesInText(*text);
  absl::Status status =
      LoadLibraries(libraries.value_or(std::vector<std::string>()), source,
                    left_out, &registry);
  if (!status.ok()) return status;
  internal::ReadOptions options = ReadOptionsFor(source, registry);
  Config config;
  const auto read = [&](bool skip_unlinked_types) {
    options.skip_unlinked_types = skip_unlinked_types;
    return json ? internal::ReadJson(*text, options, &config.content_->message,
                                     &config.content_->places)
                : internal::ReadText(*text, options, &config.content_->message,
                                     &config.content_->places);
  };
  // Where a mistake hides the libraries, their plugins are unknown because of
  // it, so that mistake must be said first.
  if (!libraries.has_value()) status = read(/*skip_unlinked_types=*/true);
  if (status.ok()) status = read(left_out != nullptr);
  if (status.ok() && left_out != nullptr) {
    for (std::string& removed : internal::RemoveUnlinked(
             options.known_types, &config.content_->message,
             &config.content_->places)) {
      left_out->push_back(std::move(removed));
    }
  }
  status.Update(config.Validate());
  if (!status.ok()) return status;
  return config;
}

absl::StatusOr<Config> Config::FromText(StringView text, StringView source,
                                        PluginRegistry& registry) {
  return Read(text, /*json=*/false, source, /*left_out=*/nullptr, registry);
}

absl::StatusOr<Config> Config::FromJson(StringView text, StringView source,
                                        PluginRegistry& registry) {
  return Read(text, /*json=*/true, source, /*left_out=*/nullptr, registry);
}

absl::StatusOr<Config> Config::ReadFile(const std::string& path,
                                        std::vector<std::string>* left_out,
                                        PluginRegistry& registry) {
  const bool json = absl::EndsWith(path, ".json");
  if (!json && !absl::EndsWith(path, ".textproto") &&
      !absl::EndsWith(path, ".txtpb") && !absl::EndsWith(path, ".pbtxt")) {
    return absl::InvalidArgumentError(
        absl::StrCat(path,
                     ": unknown kind of file: expected a name that ends in "
                     ".textproto, .txtpb or .pbtxt (text format) or .json"));
  }
  absl::StatusOr<std::string> bytes = BytesOf(path);
  if (!bytes.ok()) return bytes.status();
  return Read(*bytes, json, path, left_out, registry);
}

absl::StatusOr<Config> Config::FromFile(const std::string& path,
                                        PluginRegistry& registry) {
  return ReadFile(path, /*left_out=*/nullptr, registry);
}

absl::StatusOr<Config> Config::FromFileOfAnotherProgram(
    const std::string& path, std::vector<std::string>* left_out,
    PluginRegistry& registry) {
  left_out->clear();
  return ReadFile(path, left_out, registry);
}

absl::Status Config::OverlayEnvironment(const EnvironmentLookup& environment) {
  const std::optional<std::string> value = environment(kServersVariable);
  if (!value.has_value()) return absl::OkStatus();
  GearmanConfig over;
  for (absl::string_view server : absl::StrSplit(*value, ',')) {
    server = absl::StripAsciiWhitespace(server);
    if (!server.empty()) over.add_servers(std::string(server));
  }
  Overlay(over, absl::StrCat("environment variable ", kServersVariable));
  return CheckAddresses(content_->message.servers(), "servers",
                        content_->places);
}

void Config::Overlay(const GearmanConfig& message, StringView source) {
  internal::Overlay(message, &content_->message, [&](absl::string_view path) {
    content_->places.Replace(path, source);
  });
}

std::string Config::ToText() const {
  google::protobuf::TextFormat::Printer printer;
  printer.SetExpandAny(true);
  std::string text;
  printer.PrintToString(content_->message, &text);
  return text;
}

absl::StatusOr<std::string> Config::ToJson() const {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(
      content_->message, &text, options);
  if (!status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("no JSON: ", std::string(status.message())));
  }
  return text;
}

absl::Status Config::Validate() const {
  absl::Status status =
      internal::CheckRules(content_->message, content_->places);
  if (!status.ok()) return status;
  status = internal::CheckEnums(content_->message, content_->places);
  if (!status.ok()) return status;
  status =
      CheckAddresses(content_->message.servers(), "servers", content_->places);
  if (!status.ok()) return status;
  status = CheckAddresses(content_->message.embedded_server().listen(),
                          "embedded_server.listen", content_->places);
  if (!status.ok()) return status;

  status = CheckText(content_->message.task_prefix(), kLongestPrefix,
                     "task_prefix", content_->places);
  if (!status.ok()) return status;
  status = CheckText(content_->message.worker().client_id(), kLongestClientId,
                     "worker.client_id", content_->places);
  if (!status.ok()) return status;
  status = CheckText(content_->message.worker().control_task(), kLongestPrefix,
                     "worker.control_task", content_->places);
  if (!status.ok()) return status;
  status =
      CheckText(content_->message.job_retry().dead_letter_task(),
                kLongestPrefix, "job_retry.dead_letter_task", content_->places);
  if (!status.ok()) return status;
  return CheckText(content_->message.embedded_server().job_handle_prefix(),
                   kLongestHandlePrefix, "embedded_server.job_handle_prefix",
                   content_->places);
}

}  // namespace gearman
