#include "gearman/plugins/encoding/zstd_encoder.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/plugins/encoding/decoded_output.h"
#include "gearman/plugins/encoding/found_bytes.h"
#include "gearman/plugins/field_error.h"

namespace gearman {
namespace {

// zstd at a terminal reads no larger windows either, unless it is told to.
constexpr int kLargestWindowLog = 27;
// RFC 8878 asks every decoder for windows of 8 MiB.
constexpr int kSmallestWindowLog = 23;
// The beginning of each frame with data.
constexpr absl::string_view kMagic = "\x28\xb5\x2f\xfd";

struct Deleter {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

absl::Status NoMemory() {
  return absl::ResourceExhaustedError("zstd has not enough memory");
}

// Returns the base-2 logarithm of the largest window that may be needed for
// data of this size.
int WindowLog(size_t bytes) {
  int log = kSmallestWindowLog;
  while (log < kLargestWindowLog && (size_t{1} << log) < bytes) ++log;
  return log;
}

absl::Status Failure(size_t result, size_t max_decoded_bytes,
                     absl::string_view data) {
  const ZSTD_ErrorCode code = ZSTD_getErrorCode(result);
  if (code == ZSTD_error_memory_allocation) return NoMemory();
  if (code == ZSTD_error_frameParameter_windowTooLarge) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the zstd frame asks for a window that is larger than ",
                     size_t{1} << WindowLog(max_decoded_bytes),
                     " bytes (from 8 MiB to 128 MiB, by max_decoded_bytes)"));
  }
  return absl::DataLossError(
      absl::StrCat("the zstd frame of ", data.size(), " bytes is not valid (",
                   ZSTD_getErrorName(result), "): the bytes were changed"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ZstdEncoder>> ZstdEncoder::Create(
    ZstdOptions options) {
  if (options.level < 1 || options.level > 19) {
    return FieldError("level", absl::StrCat(options.level),
                      "it must be from 1 to 19");
  }
  return std::unique_ptr<ZstdEncoder>(new ZstdEncoder(options));
}

absl::Status ZstdEncoder::Encode(const DataContext& /*context*/,
                                 std::string* data) const {
  const std::unique_ptr<ZSTD_CCtx, Deleter> context(ZSTD_createCCtx());
  if (context == nullptr) return NoMemory();
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel,
                         options_.level);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::string compressed(ZSTD_compressBound(data->size()), '\0');
  const size_t result =
      ZSTD_compress2(context.get(), &compressed[0], compressed.size(),
                     data->data(), data->size());
  if (ZSTD_isError(result) != 0) {
    if (ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation) {
      return NoMemory();
    }
    return absl::InternalError(absl::StrCat("zstd did not compress the data: ",
                                            ZSTD_getErrorName(result)));
  }
  compressed.resize(result);
  *data = std::move(compressed);
  return absl::OkStatus();
}

absl::StatusOr<absl::string_view> ZstdEncoder::Decode(
    const DataContext& /*context*/, absl::string_view data,
    std::string* buffer) const {
  if (!absl::StartsWith(data, kMagic)) {
    return NotExpected("a zstd frame", data);
  }
  const std::unique_ptr<ZSTD_DCtx, Deleter> context(ZSTD_createDCtx());
  if (context == nullptr) return NoMemory();
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax,
                         WindowLog(options_.max_decoded_bytes));
  internal::DecodedOutput output(buffer, options_.max_decoded_bytes);
  ZSTD_inBuffer input = {data.data(), data.size(), 0};
  while (true) {
    if (output.room() == 0) {
      absl::Status grown = output.Grow();
      if (!grown.ok()) return grown;
    }
    ZSTD_outBuffer room = {output.next(), output.room(), 0};
    const size_t result = ZSTD_decompressStream(context.get(), &room, &input);
    output.Wrote(room.pos);
    if (ZSTD_isError(result) != 0) {
      return Failure(result, options_.max_decoded_bytes, data);
    }
    // 0 means that the frame has ended and all of it was written.
    if (result == 0) break;
    if (input.pos == input.size && room.pos < room.size) {
      return absl::DataLossError(
          absl::StrCat("the zstd frame of ", data.size(),
                       " bytes ends before its end: the bytes were cut"));
    }
  }
  const size_t left = input.size - input.pos;
  if (left > 0) {
    return absl::DataLossError(
        absl::StrCat(left, left == 1 ? " byte follows" : " bytes follow",
                     " the zstd frame"));
  }
  absl::Status finished = output.Finish();
  if (!finished.ok()) return finished;
  return absl::string_view(*buffer);
}

}  // namespace gearman
