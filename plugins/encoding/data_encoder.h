// DataEncoder: turns a job's data and result into the bytes that travel, and
// back. A compressor, a cipher and an envelope are data encoders.
//
//   auto encoder = gearman::CreateDataEncoder(
//       "json+zlib", gearman::PluginRegistry::Default().data_encoders());
//
// sdk/typed_jobs.h applies an encoder to the jobs of a client and a worker.
// docs/guide/encoding.md has the bytes of each format.
#ifndef GEARMAN_PLUGINS_ENCODING_DATA_ENCODER_H_
#define GEARMAN_PLUGINS_ENCODING_DATA_ENCODER_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/base/string_view.h"

namespace gearman {

class MessageFormat;

// The default of every limit on decoded data. It is that of a packet
// (docs/limits.md).
inline constexpr size_t kDefaultMaxDecodedBytes = size_t{64} << 20;

// Facts that an `envelope` carries beside the data. An empty or zero field is
// not sent. The fields that a peer sent are not checked beyond what is said
// here: show them with SafeText only.
struct DataHeaders {
  // The media type of the data inside the envelope. A message format sets it,
  // and refuses data of another type.
  std::string content_type;
  // The trace context of W3C: the values of the two HTTP headers of these
  // names.
  std::string traceparent;
  std::string tracestate;
  // The number of this run of the job, from 1 to 1,000,000,000.
  int attempt = 0;
  // Other headers. A name has 1 to 63 lower-case letters, digits and dashes,
  // and is there once.
  std::vector<std::pair<std::string, std::string>> others;
};

// The way that data takes between client and worker.
enum class DataDirection : unsigned char {
  kRequest,  // the job's data, from the client to the worker
  kReply,    // the job's result, from the worker to the client
};

// Returns "request" or "reply".
absl::string_view DataDirectionName(DataDirection direction);

// The facts about the data that is encoded or decoded.
struct DataContext {
  // The job's task, without a namespace prefix: client and worker must see
  // equal names.
  StringView task;
  // Whether the data is a request or a reply.
  DataDirection direction = DataDirection::kRequest;
  // Encode reads the headers here, and Decode writes them. May be null.
  DataHeaders* headers = nullptr;
};

// One object serves all calls, so it is thread-safe: it does not change. The
// SDK calls it on the thread that runs a typed job or its handler, with no lock
// held. An error names what is wrong; the SDK puts the encoder's name, the task
// and the server before it. Exceptions become errors (EncodeData, DecodeData).
class DataEncoder {
 public:
  virtual ~DataEncoder() = default;

  // Replaces *data by its encoding. After an error *data has any value.
  // INVALID_ARGUMENT means that this data can't be encoded.
  virtual absl::Status Encode(const DataContext& context,
                              std::string* data) const = 0;
  // Returns the data that Encode was given: a view of `data`, or a view of
  // *buffer, which the encoder may fill. `data` does not lie in *buffer.
  // DATA_LOSS means that Encode does not make such bytes; the message says what
  // was found. RESOURCE_EXHAUSTED means that a limit on what is decoded was
  // reached.
  virtual absl::StatusOr<absl::string_view> Decode(
      const DataContext& context, absl::string_view data,
      std::string* buffer) const = 0;
  // The format of Protobuf messages, for an encoder that takes these. It lives
  // as long as the encoder. It is null for an encoder that takes bytes.
  virtual const MessageFormat* message_format() const { return nullptr; }
  // The name of the encoder in the registry. A stack has the names of its
  // encoders, joined with "+". Errors show it. It is valid as long as the
  // encoder.
  virtual absl::string_view name() const = 0;
};

// EncodeData and DecodeData call Encode and Decode. They put the encoder's name
// before the message of an error, and make an error of an exception:
// RESOURCE_EXHAUSTED if there is no memory, and UNKNOWN with the exception's
// text otherwise.
absl::Status EncodeData(const DataEncoder& encoder, const DataContext& context,
                        std::string* data);
absl::StatusOr<absl::string_view> DecodeData(const DataEncoder& encoder,
                                             const DataContext& context,
                                             absl::string_view data,
                                             std::string* buffer);

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_ENCODING_DATA_ENCODER_H_
