// RefusingFactory: connections to servers that refuse.
#ifndef GEARMAN_TESTS_SDK_TESTING_REFUSING_TRANSPORT_H_
#define GEARMAN_TESTS_SDK_TESTING_REFUSING_TRANSPORT_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/sdk/testing/fake_clock.h"
#include "gearman/transports/address.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport.h"
#include "gearman/transports/transport_factory.h"

namespace gearman {
namespace testing {

// Refuses to connect, at once or when it is asked a second time.
class RefusingTransport final : public Transport {
 public:
  explicit RefusingTransport(bool later) : later_(later) {}
  IoResult Connect() override {
    if (std::exchange(later_, false)) return IoResult::WouldBlock();
    return IoResult::Failed(absl::UnavailableError("refused"));
  }
  IoResult Read(absl::Span<char> /*into*/) override {
    return IoResult::WouldBlock();
  }
  IoResult Write(absl::Span<const absl::string_view> /*pieces*/) override {
    return IoResult::WouldBlock();
  }
  Interest interest(bool /*want_write*/) const override {
    Interest interest;
    interest.ready_now = true;
    return interest;
  }
  void Close() override {}
  std::string Describe() const override { return "refusing"; }

 private:
  bool later_;
};

// Keeps which servers it was asked for. For one thread.
class RefusingFactory final : public TransportFactory {
 public:
  // Each connect takes `step` of the clock's time. A null clock: none.
  explicit RefusingFactory(FakeClock* clock = nullptr,
                           absl::Duration step = absl::ZeroDuration(),
                           bool later = false)
      : clock_(clock), step_(step), later_(later) {}
  absl::StatusOr<std::unique_ptr<Transport>> Create(
      const Address& address, Poller* /*poller*/,
      Poller::Key /*key*/) override {
    asked.push_back(address.authority);
    if (clock_ != nullptr) clock_->Advance(step_);
    return std::make_unique<RefusingTransport>(later_);
  }

  std::vector<std::string> asked;

 private:
  FakeClock* const clock_;
  const absl::Duration step_;
  const bool later_;
};

}  // namespace testing
}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_TESTING_REFUSING_TRANSPORT_H_
