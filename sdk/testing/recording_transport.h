// RecordingTransport: writes down each packet of a connection as a line of
// text, for tests that compare traffic with a golden text.
//
//   auto traffic = std::make_shared<Traffic>();
//   ClientOptions options =
//       fleet.ClientDefaults("client", {"recorded://jobs"});
//   options.transports->Register(
//       "recorded", std::make_shared<RecordingTransportFactory>(
//                       options.transports->Find("inproc").value(), "inproc",
//                       traffic)).IgnoreError();
//   // ... a client of these options runs a job
//   EXPECT_EQ(traffic->Difference(R"(
//       > SUBMIT_JOB function="reverse" unique="*" data="hello"
//       < JOB_CREATED handle="H:jobs.1:1"
//       < WORK_COMPLETE handle="H:jobs.1:1" data="olleh"
//   )"), "");
//
// ">" marks a packet to the server, "<" a packet from the server. The names of
// packets and arguments are those of docs/protocol.md. Values are safe text, in
// which a quotation mark is \x22. Only the beginning of a long value is shown.
#ifndef GEARMAN_SDK_TESTING_RECORDING_TRANSPORT_H_
#define GEARMAN_SDK_TESTING_RECORDING_TRANSPORT_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "gearman/base/string_view.h"
#include "gearman/transports/address.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport.h"
#include "gearman/transports/transport_factory.h"

namespace gearman {
namespace testing {

// The packets of all connections that were given this object, in the order in
// which their last bytes passed. A Traffic is thread-safe.
class Traffic {
 public:
  // Makes an empty record, which shows at most `max_value_bytes` bytes of each
  // argument and of the data.
  explicit Traffic(size_t max_value_bytes = 64)
      : max_value_bytes_(max_value_bytes) {}
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  // The most bytes of a value that are shown.
  size_t max_value_bytes() const { return max_value_bytes_; }
  // Adds a line, without a line end.
  void Add(std::string line);
  // Returns all lines.
  std::vector<std::string> lines() const;
  // Returns all lines as one text, each with a line end.
  std::string text() const;
  // Forgets all lines.
  void Clear();
  // Compares the lines with a golden text. Spaces around a golden line and
  // empty golden lines don't count, and each "*" in it stands for any
  // characters. Returns an empty text if they are equal, and otherwise the
  // first line that differs and the whole traffic.
  std::string Difference(StringView golden) const;

 private:
  const size_t max_value_bytes_;
  mutable absl::Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

class RecordingTransport final : public ForwardingTransport {
 public:
  // Records what passes through `next`, which it owns, in `traffic`.
  RecordingTransport(std::unique_ptr<Transport> next,
                     std::shared_ptr<Traffic> traffic);
  ~RecordingTransport() override;

  IoResult Read(absl::Span<char> into) override;
  IoResult Write(absl::Span<const absl::string_view> pieces) override;

 private:
  class Direction;

  const std::unique_ptr<Direction> sent_;
  const std::unique_ptr<Direction> received_;
};

// Connects each address of another scheme through the transports of `scheme`,
// which `next` makes, and records the traffic.
class RecordingTransportFactory final : public TransportFactory {
 public:
  // Shares `next`, the factory of `scheme`, and `traffic`.
  RecordingTransportFactory(std::shared_ptr<TransportFactory> next,
                            std::string scheme,
                            std::shared_ptr<Traffic> traffic)
      : next_(std::move(next)),
        scheme_(std::move(scheme)),
        traffic_(std::move(traffic)) {}

  absl::StatusOr<std::unique_ptr<Transport>> Create(const Address& address,
                                                    Poller* poller,
                                                    Poller::Key key) override;
  absl::Status Check(const Address& address) override;

 private:
  const std::shared_ptr<TransportFactory> next_;
  const std::string scheme_;
  const std::shared_ptr<Traffic> traffic_;
};

}  // namespace testing
}  // namespace gearman

#endif  // GEARMAN_SDK_TESTING_RECORDING_TRANSPORT_H_
