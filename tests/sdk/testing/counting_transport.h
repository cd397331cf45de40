// CountingTransport: another transport, whose writes and reads are counted.
#ifndef GEARMAN_TESTS_SDK_TESTING_COUNTING_TRANSPORT_H_
#define GEARMAN_TESTS_SDK_TESTING_COUNTING_TRANSPORT_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/inproc/inproc_transport_factory.h"
#include "gearman/transports/transport.h"
#include "gearman/transports/transport_factory.h"

namespace gearman {
namespace testing {

// Any thread may read them.
struct IoCounts {
  std::atomic<uint64_t> writes{0};
  std::atomic<uint64_t> reads{0};  // that found something

  void Reset() { writes = reads = 0; }
};

class CountingTransport final : public ForwardingTransport {
 public:
  CountingTransport(std::unique_ptr<Transport> next, IoCounts* counts)
      : ForwardingTransport(std::move(next)), counts_(counts) {}
  IoResult Read(absl::Span<char> into) override {
    IoResult result = ForwardingTransport::Read(into);
    if (result.done()) ++counts_->reads;
    return result;
  }
  IoResult Write(absl::Span<const absl::string_view> pieces) override {
    ++counts_->writes;
    return ForwardingTransport::Write(pieces);
  }

 private:
  IoCounts* const counts_;
};

// Connects SCHEME://NAME to inproc://NAME. `counts` outlives all.
class CountingFactory final : public TransportFactory {
 public:
  CountingFactory(std::shared_ptr<InprocNetwork> network, IoCounts* counts)
      : inproc_(std::move(network)), counts_(counts) {}
  absl::StatusOr<std::unique_ptr<Transport>> Create(const Address& address,
                                                    Poller* poller,
                                                    Poller::Key key) override {
    auto transport = inproc_.Create({"inproc", address.authority}, poller, key);
    if (!transport.ok()) return transport.status();
    return std::make_unique<CountingTransport>(*std::move(transport), counts_);
  }

 private:
  InprocTransportFactory inproc_;
  IoCounts* const counts_;
};

}  // namespace testing
}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_TESTING_COUNTING_TRANSPORT_H_
