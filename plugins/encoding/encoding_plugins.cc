#include "gearman/plugins/encoding/encoding_plugins.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/optional.h"
#include "gearman/plugins/encoding/aes256gcm_encoder.h"
#include "gearman/plugins/encoding/aes256gcm_keys.h"
#include "gearman/plugins/encoding/encoder_stack.h"
#include "gearman/plugins/encoding/encoding_fields.h"
#include "gearman/plugins/encoding/envelope_encoder.h"
#include "gearman/plugins/encoding/json_encoder.h"
#include "gearman/plugins/encoding/protobuf_encoder.h"
#include "gearman/plugins/encoding/raw_encoder.h"
#include "gearman/plugins/field_error.h"
#include "google/protobuf/message.h"

namespace gearman {
namespace {

using Made = absl::StatusOr<std::unique_ptr<DataEncoder>>;
using Encoders = std::vector<std::shared_ptr<const DataEncoder>>;

Made MakeEnvelope(const config::EnvelopeEncoder& config) {
  EnvelopeOptions options;
  options.accept_raw = config.accept_raw();
  if (config.has_max_header_bytes()) {
    if (config.max_header_bytes() > EnvelopeEncoder::kMostHeaderBytes) {
      return FieldError("max_header_bytes",
                        absl::StrCat(config.max_header_bytes()),
                        absl::StrCat("it must be from 0 to ",
                                     EnvelopeEncoder::kMostHeaderBytes));
    }
    options.max_header_bytes = config.max_header_bytes();
  }
  return std::make_unique<EnvelopeEncoder>(options);
}

Made MakeProtobuf(const config::ProtobufEncoder& config) {
  ProtobufOptions options;
  absl::Status status = internal::ReadMaxBytes(
      "max_message_bytes", config.has_max_message_bytes(),
      config.max_message_bytes(), &options.max_message_bytes);
  if (!status.ok()) return status;
  return std::make_unique<ProtobufEncoder>(options);
}

Made MakeJson(const config::JsonEncoder& config) {
  JsonOptions options;
  options.ignore_unknown_fields = config.ignore_unknown_fields();
  absl::Status status = internal::ReadMaxBytes(
      "max_message_bytes", config.has_max_message_bytes(),
      config.max_message_bytes(), &options.max_message_bytes);
  if (!status.ok()) return status;
  return std::make_unique<JsonEncoder>(options);
}

Made MakeAes256Gcm(const config::Aes256GcmEncoder& config) {
  absl::StatusOr<std::vector<Aes256GcmKey>> keys;
  absl::string_view field;
  switch (config.keys_case()) {
    case config::Aes256GcmEncoder::kKeyFile:
      field = "key_file";
      keys = ReadAes256GcmKeys(config.key_file());
      break;
    case config::Aes256GcmEncoder::kKeyEnvironment:
      field = "key_environment";
      keys = Aes256GcmKeysFromEnvironment(config.key_environment());
      break;
    case config::Aes256GcmEncoder::KEYS_NOT_SET:
      keys = Aes256GcmKeysFromEnvironment();
      break;
  }
  if (!keys.ok()) {
    absl::Status status = keys.status();
    if (!field.empty()) status.SetPayload(kFieldPayload, absl::Cord(field));
    return status;
  }
  return Aes256GcmEncoder::Create(*std::move(keys));
}

// Returns the config that was chosen, or null, and the name of its field.
std::pair<const google::protobuf::Message*, absl::string_view> Chosen(
    const config::DataEncoder& config) {
  switch (config.encoder_case()) {
    case config::DataEncoder::kRaw:
      return {&config.raw(), "raw"};
    case config::DataEncoder::kEnvelope:
      return {&config.envelope(), "envelope"};
    case config::DataEncoder::kProtobuf:
      return {&config.protobuf(), "protobuf"};
    case config::DataEncoder::kJson:
      return {&config.json(), "json"};
    case config::DataEncoder::kAes256Gcm:
      return {&config.aes256gcm(), "aes256gcm"};
    case config::DataEncoder::kZlib:
      return {&config.zlib(), "zlib"};
    case config::DataEncoder::kZstd:
      return {&config.zstd(), "zstd"};
    case config::DataEncoder::kPlugin:
      return {&config.plugin(), "plugin"};
    case config::DataEncoder::ENCODER_NOT_SET:
      break;
  }
  return {nullptr, ""};
}

// Says which library has an encoder of the SDK that is not registered.
absl::Status WithHint(absl::string_view name,
                      const Registry<DataEncoder>& registry,
                      const absl::Status& status) {
  // A registered encoder may miss something else, such as its keys.
  const std::vector<std::string> known = registry.names();
  if (!absl::IsNotFound(status) ||
      std::find(known.begin(), known.end(), name) != known.end()) {
    return status;
  }
  absl::string_view part;
  if (name == "zlib" || name == "zstd") {
    part = "compression";
  } else if (name == "raw" || name == "envelope" || name == "protobuf" ||
             name == "json" || name == "aes256gcm") {
    part = "encoders";
  } else {
    return status;
  }
  absl::Status hinted(
      status.code(),
      absl::StrCat(status.message(), "; link @gearman_sdk//sdk:", part,
                   " (CMake: gearman_sdk::", part, ") to have \"", name,
                   "\" in the default registry"));
  const absl::optional<absl::Cord> field = status.GetPayload(kFieldPayload);
  if (field.has_value()) hinted.SetPayload(kFieldPayload, *field);
  return hinted;
}

// Returns one encoder as it is, and several as a stack.
Made Stacked(Encoders encoders) {
  absl::StatusOr<std::unique_ptr<EncoderStack>> stack =
      EncoderStack::Create(std::move(encoders));
  if (!stack.ok()) return stack.status();
  return *std::move(stack);
}

}  // namespace

absl::Status RegisterEncodingPlugins(Registry<DataEncoder>* registry) {
  absl::Status status = registry->Register<config::RawEncoder>(
      "raw",
      [](const config::RawEncoder&) { return std::make_unique<RawEncoder>(); });
  status.Update(
      registry->Register<config::EnvelopeEncoder>("envelope", MakeEnvelope));
  status.Update(
      registry->Register<config::ProtobufEncoder>("protobuf", MakeProtobuf));
  status.Update(registry->Register<config::JsonEncoder>("json", MakeJson));
  status.Update(
      registry->Register<config::Aes256GcmEncoder>("aes256gcm", MakeAes256Gcm));
  return status;
}

absl::StatusOr<std::unique_ptr<DataEncoder>> CreateDataEncoder(
    StringView names, const Registry<DataEncoder>& registry) {
  Encoders encoders;
  for (const absl::string_view name : absl::StrSplit(names, '+')) {
    // Before more are made than a stack may have.
    if (encoders.size() > EncoderStack::kMostEncoders) break;
    Made made = registry.CreateByName(name);
    if (!made.ok()) return WithHint(name, registry, made.status());
    encoders.push_back(*std::move(made));
  }
  return Stacked(std::move(encoders));
}

absl::StatusOr<std::unique_ptr<DataEncoder>> CreateDataEncoder(
    const config::DataEncoding& config, const Registry<DataEncoder>& registry) {
  Encoders encoders;
  for (int i = 0; i < config.encoders_size(); ++i) {
    if (encoders.size() > EncoderStack::kMostEncoders) break;
    const auto [chosen, name] = Chosen(config.encoders(i));
    const std::string path = absl::StrCat("encoders[", i, "]");
    if (chosen == nullptr) {
      return FieldError(path, "{}", "it names no encoder");
    }
    Made made = registry.Create(*chosen);
    if (!made.ok()) {
      return WithinField(absl::StrCat(path, ".", name),
                         WithHint(name, registry, made.status()));
    }
    encoders.push_back(*std::move(made));
  }
  return Stacked(std::move(encoders));
}

}  // namespace gearman
