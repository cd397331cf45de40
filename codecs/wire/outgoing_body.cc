#include "gearman/codecs/wire/outgoing_body.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace wire {

OutgoingBody::OutgoingBody(std::shared_ptr<BodySource> source, std::string what)
    : source_(std::move(source)),
      what_(std::move(what)),
      part_bytes_(
          static_cast<size_t>(std::min<uint64_t>(source_->size(), kPartBytes))),
      left_(source_->size()) {}

absl::Status OutgoingBody::Fail(absl::StatusCode code, absl::string_view why) {
  error_ = absl::Status(
      code, absl::StrCat(what_, " could not be read from its source: ",
                         source_->size() - left_, " of ", source_->size(),
                         " bytes, then ", why));
  return error_;
}

absl::StatusOr<size_t> OutgoingBody::Read(char* into, size_t size) {
  try {
    return source_->Read(source_->size() - left_, absl::MakeSpan(into, size));
  } catch (const std::exception& exception) {
    return absl::UnknownError(
        absl::StrCat("it has thrown: ", SafeMessage(exception.what())));
  } catch (...) {
    return absl::UnknownError("it has thrown an unknown exception");
  }
}

absl::StatusOr<absl::string_view> OutgoingBody::ReadPart() {
  if (!error_.ok()) return error_;
  const bool again = source_->used_.exchange(true, std::memory_order_relaxed);
  if (again && left_ == source_->size() && !source_->repeatable()) {
    return Fail(absl::StatusCode::kFailedPrecondition,
                "nothing: it was read before and is not repeatable");
  }
  if (part_ == nullptr) part_.reset(new char[part_bytes_]);
  const size_t wanted =
      static_cast<size_t>(std::min<uint64_t>(left_, part_bytes_));
  size_t read = 0;
  while (read < wanted) {
    const absl::StatusOr<size_t> got = Read(part_.get() + read, wanted - read);
    if (!got.ok()) {
      return Fail(got.status().code(), SafeMessage(got.status().message()));
    }
    if (*got == 0) {
      return Fail(absl::StatusCode::kInvalidArgument,
                  "its end; BodySource::size must be what it has");
    }
    if (*got > wanted - read) {
      return Fail(
          absl::StatusCode::kInvalidArgument,
          absl::StrCat("a Read that returned ", *got,
                       " bytes and was to return at most ", wanted - read));
    }
    read += *got;
    left_ -= *got;
  }
  return absl::string_view(part_.get(), wanted);
}

}  // namespace wire
}  // namespace gearman
