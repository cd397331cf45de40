#include "gearman/plugins/encoding/zlib_encoder.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gearman/plugins/encoding/decoded_output.h"
#include "gearman/plugins/encoding/found_bytes.h"
#include "gearman/plugins/field_error.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

// zlib counts bytes in an unsigned int.
constexpr size_t kMostAtOnce = std::numeric_limits<uInt>::max();

// A stream of zlib and its end.
class Stream {
 public:
  explicit Stream(int (*end)(z_streamp)) : end_(end) {}
  ~Stream() {
    if (begun_) end_(&stream_);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  z_stream* operator->() { return &stream_; }
  z_stream* get() { return &stream_; }
  // Takes the result of deflateInit or inflateInit.
  absl::Status Begin(int result) {
    begun_ = result == Z_OK;
    if (begun_) return absl::OkStatus();
    if (result == Z_MEM_ERROR) {
      return absl::ResourceExhaustedError("zlib has not enough memory");
    }
    return absl::InternalError(absl::StrCat("zlib does not start: ", result));
  }
  // Offers the next bytes of `input`, and takes them from it.
  void Feed(absl::string_view* input) {
    const size_t size = std::min(input->size(), kMostAtOnce);
    stream_.next_in =
        reinterpret_cast<Bytef*>(const_cast<char*>(input->data()));
    stream_.avail_in = static_cast<uInt>(size);
    input->remove_prefix(size);
  }
  // Offers room for output.
  void Offer(char* next, size_t room) {
    stream_.next_out = reinterpret_cast<Bytef*>(next);
    stream_.avail_out = static_cast<uInt>(std::min(room, kMostAtOnce));
  }

 private:
  int (*const end_)(z_streamp);
  z_stream stream_ = {};
  bool begun_ = false;
};

// Whether `data` begins with a header of RFC 1950.
bool BeginsAsZlib(absl::string_view data) {
  if (data.size() < 2) return false;
  const unsigned first = static_cast<unsigned char>(data[0]);
  const unsigned second = static_cast<unsigned char>(data[1]);
  return (first & 0xf) == Z_DEFLATED && (first * 256 + second) % 31 == 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ZlibEncoder>> ZlibEncoder::Create(
    ZlibOptions options) {
  if (options.level < 0 || options.level > 9) {
    return FieldError("level", absl::StrCat(options.level),
                      "it must be from 0 to 9");
  }
  return std::unique_ptr<ZlibEncoder>(new ZlibEncoder(options));
}

absl::Status ZlibEncoder::Encode(const DataContext& /*context*/,
                                 std::string* data) const {
  Stream stream(deflateEnd);
  absl::Status begun = stream.Begin(deflateInit(stream.get(), options_.level));
  if (!begun.ok()) return begun;
  // zlib needs no more than this for the whole.
  std::string compressed(
      deflateBound(stream.get(), static_cast<uLong>(data->size())), '\0');
  absl::string_view input = *data;
  size_t written = 0;
  int result = Z_OK;
  while (result == Z_OK) {
    if (stream->avail_in == 0) stream.Feed(&input);
    const size_t room = std::min(compressed.size() - written, kMostAtOnce);
    stream.Offer(&compressed[written], room);
    result = deflate(stream.get(), input.empty() ? Z_FINISH : Z_NO_FLUSH);
    written += room - stream->avail_out;
  }
  if (result != Z_STREAM_END) {
    return absl::InternalError(
        absl::StrCat("zlib did not compress the data: ", result));
  }
  compressed.resize(written);
  *data = std::move(compressed);
  return absl::OkStatus();
}

absl::StatusOr<absl::string_view> ZlibEncoder::Decode(
    const DataContext& /*context*/, absl::string_view data,
    std::string* buffer) const {
  if (!BeginsAsZlib(data)) {
    return NotExpected("a zlib stream", data);
  }
  Stream stream(inflateEnd);
  absl::Status begun = stream.Begin(inflateInit(stream.get()));
  if (!begun.ok()) return begun;
  internal::DecodedOutput output(buffer, options_.max_decoded_bytes);
  absl::string_view input = data;
  while (true) {
    if (stream->avail_in == 0) stream.Feed(&input);
    if (output.room() == 0) {
      absl::Status grown = output.Grow();
      if (!grown.ok()) return grown;
    }
    const size_t room = std::min(output.room(), kMostAtOnce);
    stream.Offer(output.next(), room);
    const int result = inflate(stream.get(), Z_NO_FLUSH);
    output.Wrote(room - stream->avail_out);
    if (result == Z_STREAM_END) break;
    if (result == Z_MEM_ERROR) {
      return absl::ResourceExhaustedError("zlib has not enough memory");
    }
    if (result == Z_BUF_ERROR && stream->avail_in == 0 && input.empty()) {
      return absl::DataLossError(
          absl::StrCat("the zlib stream of ", data.size(),
                       " bytes ends before its end: the bytes were cut"));
    }
    if (result == Z_NEED_DICT) {
      return absl::DataLossError(
          "the zlib stream needs a preset dictionary, and there is none");
    }
    if (result != Z_OK && result != Z_BUF_ERROR) {
      return absl::DataLossError(absl::StrCat(
          "the zlib stream is not valid after ", stream->total_in, " of ",
          data.size(), " bytes (",
          stream->msg == nullptr ? "no reason" : SafeText(stream->msg),
          "): the bytes were changed"));
    }
  }
  const size_t left = stream->avail_in + input.size();
  if (left > 0) {
    return absl::DataLossError(
        absl::StrCat(left, left == 1 ? " byte follows" : " bytes follow",
                     " the zlib stream"));
  }
  absl::Status finished = output.Finish();
  if (!finished.ok()) return finished;
  return absl::string_view(*buffer);
}

}  // namespace gearman
