// BodySource: a job's data or a result that is read while it is sent, so that
// it is never in memory as a whole (codecs/body_source.h). This header makes
// one of a file.
//
//   auto file = gearman::FileBody("/var/spool/scan.tiff");
//   if (!file.ok()) return file.status();
//   gearman::JobSpec spec;
//   spec.task = "recognize";
//   spec.body = *std::move(file);
//   gearman::JobRequest request = client->SubmitJob(std::move(spec));
//
// A client and its server, and the worker, must allow packets of that size:
// ClientLimits::max_packet_bytes, WorkerLimits::max_packet_bytes.
#ifndef GEARMAN_SDK_BODY_SOURCE_H_
#define GEARMAN_SDK_BODY_SOURCE_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "gearman/base/string_view.h"
#include "gearman/codecs/body_source.h"

namespace gearman {

// Opens a file. The size of the source is that of the file at this moment. The
// bytes are read when they are sent, so a later change of the file changes
// them. The source is repeatable: it reads with pread. It closes the file when
// its last owner drops it. In a child made by fork the file is closed at once.
// Returns NOT_FOUND, PERMISSION_DENIED or another code for the system's error,
// with the path, and INVALID_ARGUMENT if it is no regular file.
absl::StatusOr<std::shared_ptr<BodySource>> FileBody(StringView path);
// Makes a source of `size` bytes from `offset` on of an open file. The source
// has a descriptor of its own, so the caller may close `fd`. The position of
// `fd` is neither used nor moved. Returns INVALID_ARGUMENT if `fd` is no
// regular file, and OUT_OF_RANGE if the file does not have these bytes.
absl::StatusOr<std::shared_ptr<BodySource>> FileBody(int fd, uint64_t offset,
                                                     uint64_t size);

}  // namespace gearman

#endif  // GEARMAN_SDK_BODY_SOURCE_H_
