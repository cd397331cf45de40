#include "gearman/plugins/encoding/envelope_encoder.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gearman/plugins/encoding/found_bytes.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

constexpr char kLetter = 'E';
constexpr unsigned char kVersion = 1;
// Magic, letter, version and the length of the headers.
constexpr size_t kFixedBytes = 6;
constexpr size_t kLongestName = 63;
constexpr int kMostAttempts = 1'000'000'000;

constexpr absl::string_view kContentType = "content-type";
constexpr absl::string_view kTraceparent = "traceparent";
constexpr absl::string_view kTracestate = "tracestate";
constexpr absl::string_view kAttempt = "attempt";

bool IsName(absl::string_view name) {
  return !name.empty() && name.size() <= kLongestName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

bool IsOwn(absl::string_view name) {
  return name == kContentType || name == kTraceparent || name == kTracestate ||
         name == kAttempt;
}

void AppendUint16(size_t number, std::string* to) {
  to->push_back(static_cast<char>(number >> 8));
  to->push_back(static_cast<char>(number));
}

size_t ReadUint16(absl::string_view bytes) {
  return static_cast<size_t>(static_cast<unsigned char>(bytes[0])) << 8 |
         static_cast<unsigned char>(bytes[1]);
}

std::string Quoted(absl::string_view name) {
  return absl::StrCat("header \"", SafeText(name, kLongestName), "\"");
}

// Writes the headers of one envelope.
class Writer {
 public:
  explicit Writer(std::string* out) : out_(out) {}

  void Add(absl::string_view name, absl::string_view value) {
    if (value.size() > EnvelopeEncoder::kMostHeaderBytes) too_long_ = true;
    if (too_long_) return;
    out_->push_back(static_cast<char>(name.size()));
    absl::StrAppend(out_, name);
    AppendUint16(value.size(), out_);
    absl::StrAppend(out_, value);
    ++count_;
  }
  void AddUnlessEmpty(absl::string_view name, absl::string_view value) {
    if (!value.empty()) Add(name, value);
  }
  bool too_long() const { return too_long_; }
  size_t count() const { return count_; }

 private:
  std::string* const out_;
  bool too_long_ = false;
  size_t count_ = 0;
};

absl::Status CheckOthers(const DataHeaders& headers) {
  for (size_t i = 0; i < headers.others.size(); ++i) {
    const std::string& name = headers.others[i].first;
    if (!IsName(name)) {
      return absl::InvalidArgumentError(absl::StrCat(
          Quoted(name),
          ": a name has 1 to 63 lower-case letters, digits and dashes"));
    }
    if (IsOwn(name)) {
      return absl::InvalidArgumentError(absl::StrCat(
          Quoted(name), ": DataHeaders has a field of its own for it"));
    }
    for (size_t j = 0; j < i; ++j) {
      if (headers.others[j].first == name) {
        return absl::InvalidArgumentError(
            absl::StrCat(Quoted(name), " is there twice"));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status WriteHeaders(const DataHeaders& headers, size_t max_bytes,
                          std::string* out) {
  if (headers.attempt < 0 || headers.attempt > kMostAttempts) {
    return absl::InvalidArgumentError(
        absl::StrCat("attempt ", headers.attempt, ": it must be from 1 to ",
                     kMostAttempts, ", or 0 to send none"));
  }
  // Bounds the time that CheckOthers takes.
  if (headers.others.size() > EnvelopeEncoder::kMostHeaders) {
    return absl::InvalidArgumentError(
        absl::StrCat(headers.others.size(), " headers: at most ",
                     EnvelopeEncoder::kMostHeaders, " may be sent"));
  }
  absl::Status valid = CheckOthers(headers);
  if (!valid.ok()) return valid;
  Writer writer(out);
  writer.AddUnlessEmpty(kContentType, headers.content_type);
  writer.AddUnlessEmpty(kTraceparent, headers.traceparent);
  writer.AddUnlessEmpty(kTracestate, headers.tracestate);
  if (headers.attempt > 0) writer.Add(kAttempt, absl::StrCat(headers.attempt));
  for (const auto& header : headers.others) {
    writer.Add(header.first, header.second);
  }
  if (writer.too_long() || out->size() > max_bytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the headers have more than ", max_bytes, " bytes (max_header_bytes)"));
  }
  if (writer.count() > EnvelopeEncoder::kMostHeaders) {
    return absl::InvalidArgumentError(
        absl::StrCat(writer.count(), " headers: at most ",
                     EnvelopeEncoder::kMostHeaders, " may be sent"));
  }
  return absl::OkStatus();
}

// Puts one header that was read where it belongs.
absl::Status Take(absl::string_view name, absl::string_view value,
                  DataHeaders* headers) {
  if (name == kContentType) {
    headers->content_type = std::string(value);
  } else if (name == kTraceparent) {
    headers->traceparent = std::string(value);
  } else if (name == kTracestate) {
    headers->tracestate = std::string(value);
  } else if (name == kAttempt) {
    // SimpleAtoi takes blanks and signs, too.
    const bool digits =
        !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
          return c >= '0' && c <= '9';
        });
    int attempt = 0;
    if (!digits || !absl::SimpleAtoi(value, &attempt) || attempt < 1 ||
        attempt > kMostAttempts) {
      return absl::DataLossError(
          absl::StrCat("the attempt in the envelope is \"", SafeText(value, 20),
                       "\": it must be a number from 1 to ", kMostAttempts));
    }
    headers->attempt = attempt;
  } else {
    headers->others.emplace_back(name, value);
  }
  return absl::OkStatus();
}

// Reads all headers of one envelope.
absl::Status ReadHeaders(absl::string_view bytes, DataHeaders* headers) {
  std::vector<absl::string_view> names;
  while (!bytes.empty()) {
    const size_t name_size = static_cast<unsigned char>(bytes[0]);
    if (bytes.size() < 1 + name_size + 2) {
      return absl::DataLossError(
          "a header ends behind the envelope's headers: the bytes were cut or "
          "changed");
    }
    const absl::string_view name = bytes.substr(1, name_size);
    const size_t value_size = ReadUint16(bytes.substr(1 + name_size));
    bytes.remove_prefix(1 + name_size + 2);
    if (!IsName(name)) {
      return absl::DataLossError(
          absl::StrCat(Quoted(name),
                       " in the envelope: a name has 1 to 63 lower-case "
                       "letters, digits and dashes"));
    }
    if (bytes.size() < value_size) {
      return absl::DataLossError(absl::StrCat(
          Quoted(name), " has ", value_size, " bytes, and the envelope only ",
          bytes.size(), " more: the bytes were cut or changed"));
    }
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      return absl::DataLossError(
          absl::StrCat(Quoted(name), " is in the envelope twice"));
    }
    if (names.size() == EnvelopeEncoder::kMostHeaders) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the envelope has more than ",
                       EnvelopeEncoder::kMostHeaders, " headers"));
    }
    names.push_back(name);
    absl::Status taken = Take(name, bytes.substr(0, value_size), headers);
    if (!taken.ok()) return taken;
    bytes.remove_prefix(value_size);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status EnvelopeEncoder::Encode(const DataContext& context,
                                     std::string* data) const {
  std::string headers;
  if (context.headers != nullptr) {
    const size_t max_bytes =
        std::min(options_.max_header_bytes, kMostHeaderBytes);
    absl::Status written = WriteHeaders(*context.headers, max_bytes, &headers);
    if (!written.ok()) return written;
  }
  std::string encoded;
  encoded.reserve(kFixedBytes + headers.size() + data->size());
  absl::StrAppend(&encoded, internal::kMagic);
  encoded.push_back(kLetter);
  encoded.push_back(static_cast<char>(kVersion));
  AppendUint16(headers.size(), &encoded);
  absl::StrAppend(&encoded, headers, *data);
  *data = std::move(encoded);
  return absl::OkStatus();
}

absl::StatusOr<absl::string_view> EnvelopeEncoder::Decode(
    const DataContext& context, absl::string_view data,
    std::string* /*buffer*/) const {
  const std::string begin =
      absl::StrCat(internal::kMagic, absl::string_view(&kLetter, 1));
  if (!absl::StartsWith(data, begin)) {
    if (options_.accept_raw) return data;
    return NotExpected("an envelope", data);
  }
  if (data.size() < kFixedBytes) {
    return absl::DataLossError(absl::StrCat(
        "the envelope ends after ", data.size(), " bytes: the bytes were cut"));
  }
  const int version = static_cast<unsigned char>(data[begin.size()]);
  if (version != kVersion) {
    return absl::UnimplementedError(absl::StrCat("the envelope has version ",
                                                 version,
                                                 ", and this SDK "
                                                 "reads version ",
                                                 kVersion));
  }
  const size_t header_bytes = ReadUint16(data.substr(begin.size() + 1));
  data.remove_prefix(kFixedBytes);
  if (header_bytes > options_.max_header_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the envelope has ", header_bytes, " bytes of headers, and at most ",
        options_.max_header_bytes, " are allowed (max_header_bytes)"));
  }
  if (header_bytes > data.size()) {
    return absl::DataLossError(absl::StrCat(
        "the envelope has ", header_bytes, " bytes of headers, and only ",
        data.size(), " bytes follow: the bytes were cut or changed"));
  }
  DataHeaders headers;
  absl::Status read = ReadHeaders(data.substr(0, header_bytes), &headers);
  if (!read.ok()) return read;
  if (context.headers != nullptr) *context.headers = std::move(headers);
  data.remove_prefix(header_bytes);
  return data;
}

}  // namespace gearman
