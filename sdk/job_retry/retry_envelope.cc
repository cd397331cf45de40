#include "gearman/sdk/job_retry/retry_envelope.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/plugins/encoding/envelope_encoder.h"
#include "gearman/sdk/internal/client/random_unique.h"
#include "gearman/sdk/internal/job/error_answer.h"
#include "gearman/sdk/job_retry.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

constexpr absl::string_view kUnique = "retry-unique";
constexpr absl::string_view kTask = "dead-letter-task";
constexpr absl::string_view kError = "dead-letter-error";
// A longer error is cut.
constexpr size_t kMaxErrorBytes = 1024;

const EnvelopeEncoder& Envelope() {
  static const auto* const envelope = [] {
    EnvelopeOptions options;
    // Bytes without an envelope are a first attempt.
    options.accept_raw = true;
    // The task and the unique are long at times.
    options.max_header_bytes = EnvelopeEncoder::kMostHeaderBytes;
    return new EnvelopeEncoder(options);
  }();
  return *envelope;
}

// Returns the value of a header, or null.
const std::string* FindHeader(const DataHeaders& headers,
                              absl::string_view name) {
  const auto found =
      std::find_if(headers.others.begin(), headers.others.end(),
                   [name](const auto& header) { return header.first == name; });
  return found == headers.others.end() ? nullptr : &found->second;
}

absl::StatusOr<absl::string_view> Open(absl::string_view data,
                                       DataHeaders* headers) {
  DataContext context;
  context.headers = headers;
  std::string unused;
  return DecodeData(Envelope(), context, data, &unused);
}

absl::StatusOr<std::string> Wrap(DataHeaders headers, absl::string_view data) {
  DataContext context;
  context.headers = &headers;
  // The data stand behind the headers, so that they are copied once.
  std::string bytes;
  absl::Status status = EncodeData(Envelope(), context, &bytes);
  if (!status.ok()) return status;
  bytes.reserve(bytes.size() + data.size());
  absl::StrAppend(&bytes, data);
  return bytes;
}

DataHeaders HeadersOf(const OpenedJob& opened, int attempt) {
  DataHeaders headers;
  headers.attempt = attempt;
  headers.others.emplace_back(kUnique, opened.unique);
  return headers;
}

}  // namespace

absl::StatusOr<OpenedJob> OpenJob(const Job& job) {
  OpenedJob opened;
  opened.data = job.data();
  opened.unique = job.unique();
  DataHeaders headers;
  const absl::StatusOr<absl::string_view> inner = Open(job.data(), &headers);
  if (!inner.ok()) return inner.status();
  const std::string* const unique = FindHeader(headers, kUnique);
  // A dead letter is a first attempt of the dead-letter task.
  if (unique == nullptr || FindHeader(headers, kTask) != nullptr) return opened;
  opened.data = *inner;
  opened.attempt = std::max(1, headers.attempt);
  opened.unique = *unique;
  return opened;
}

std::string TextOfError(const absl::Status& error) {
  std::string text = AnswerOf(error).text;
  if (text.empty()) text = "the job failed";
  if (text.size() > kMaxErrorBytes) text.resize(kMaxErrorBytes);
  return text;
}

absl::StatusOr<std::string> WrapAttempt(const OpenedJob& opened, int attempt) {
  return Wrap(HeadersOf(opened, attempt), opened.data);
}

absl::StatusOr<std::string> WrapDeadLetter(const OpenedJob& opened,
                                           int attempts, absl::string_view task,
                                           const absl::Status& error) {
  DataHeaders headers = HeadersOf(opened, attempts);
  headers.others.emplace_back(kTask, task);
  headers.others.emplace_back(kError, TextOfError(error));
  return Wrap(std::move(headers), opened.data);
}

std::string UniqueOfAttempt(absl::string_view unique, int attempt) {
  const std::string end = attempt == 0 ? "~dead" : absl::StrCat("~", attempt);
  // A header may hold a NUL, and a unique may not.
  if (unique.size() + end.size() <= wire::kMaxUniqueBytes &&
      !absl::StrContains(unique, '\0')) {
    return absl::StrCat(unique, end);
  }
  char hash[kRandomUniqueSize];
  WriteHexUnique(HashOfJob("", unique), hash);
  return absl::StrCat(absl::string_view(hash, sizeof(hash)), end);
}

}  // namespace internal

absl::StatusOr<DeadLetter> ReadDeadLetter(StringView data) {
  DataHeaders headers;
  const absl::StatusOr<absl::string_view> inner =
      internal::Open(data, &headers);
  if (!inner.ok()) return inner.status();
  const std::string* const task =
      internal::FindHeader(headers, internal::kTask);
  const std::string* const error =
      internal::FindHeader(headers, internal::kError);
  if (task == nullptr || error == nullptr) {
    return absl::DataLossError(absl::StrCat(
        "no dead letter: ", data.size(), " bytes that begin with \"",
        SafeText(data.substr(0, 16)),
        "\", without the headers of one; a client has submitted this job "
        "itself"));
  }
  const std::string* const unique =
      internal::FindHeader(headers, internal::kUnique);
  DeadLetter letter;
  letter.task = *task;
  if (unique != nullptr) letter.unique = *unique;
  letter.attempts = headers.attempt;
  letter.error = *error;
  letter.data = *inner;
  return letter;
}

}  // namespace gearman
