#include "gearman/transports/inproc/inproc_transport_factory.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace gearman {
namespace {

// A transport that looks up its name in Connect, because that may start the
// embedded server, which a constructor should not do.
class LazyInprocTransport : public Transport {
 public:
  LazyInprocTransport(std::shared_ptr<InprocNetwork> network, std::string name,
                      Poller* poller, Poller::Key key)
      : network_(std::move(network)),
        name_(std::move(name)),
        poller_(poller),
        key_(key) {}

  IoResult Connect() override {
    if (stream_ != nullptr) return IoResult::Done(0);
    if (closed_) return IoResult::Closed();
    absl::StatusOr<std::unique_ptr<Transport>> stream =
        network_->Connect(name_, poller_, key_);
    if (!stream.ok()) return IoResult::Failed(stream.status());
    stream_ = *std::move(stream);
    return IoResult::Done(0);
  }
  IoResult Read(absl::Span<char> into) override {
    return stream_ == nullptr ? IoResult::Closed() : stream_->Read(into);
  }
  IoResult Write(absl::Span<const absl::string_view> pieces) override {
    return stream_ == nullptr ? IoResult::Closed() : stream_->Write(pieces);
  }
  Interest interest(bool want_write) const override {
    if (stream_ != nullptr) return stream_->interest(want_write);
    Interest interest;
    interest.ready_now = !closed_;
    return interest;
  }
  void Close() override {
    closed_ = true;
    stream_ = nullptr;
  }
  std::string Describe() const override {
    return absl::StrCat("inproc://", name_);
  }
  PieceStream* pieces() override {
    return stream_ == nullptr ? nullptr : stream_->pieces();
  }

 private:
  const std::shared_ptr<InprocNetwork> network_;
  const std::string name_;
  Poller* const poller_;
  const Poller::Key key_;
  std::unique_ptr<Transport> stream_;
  bool closed_ = false;
};

}  // namespace

InprocTransportFactory::InprocTransportFactory(
    std::shared_ptr<InprocNetwork> network)
    : network_(std::move(network)) {}

absl::StatusOr<std::unique_ptr<Transport>> InprocTransportFactory::Create(
    const Address& address, Poller* poller, Poller::Key key) {
  return std::make_unique<LazyInprocTransport>(network_, address.authority,
                                               poller, key);
}

absl::StatusOr<std::unique_ptr<Listener>> InprocTransportFactory::Listen(
    const Address& address, Poller* poller, Poller::Key key) {
  return network_->Listen(address.authority, poller, key, {});
}

}  // namespace gearman
