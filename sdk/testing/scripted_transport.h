// ScriptedTransport: a peer that sends and expects exactly the bytes of a
// script.
//
//   auto script = std::make_shared<TransportScript>();
//   script->Expect(Request(...)).Give(Response(...)).End();
//   registry->Register("script",
//                      std::make_shared<ScriptedTransportFactory>(script));
//   // ... a client of "script://peer", on any poller
//   EXPECT_TRUE(script->Finished()) << script->Trouble();
//
// A script is for one connection. It is not thread-safe: it is for one thread,
// as in a Simulation.
#ifndef GEARMAN_SDK_TESTING_SCRIPTED_TRANSPORT_H_
#define GEARMAN_SDK_TESTING_SCRIPTED_TRANSPORT_H_

#include <deque>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/transports/transport.h"
#include "gearman/transports/transport_factory.h"

namespace gearman {
namespace testing {

// The steps of one peer.
class TransportScript {
 public:
  // Each function adds a step and returns the script.
  //
  // Connecting fails. This can only be the first step.
  TransportScript& Refuse(absl::Status status);
  // The SDK writes these bytes next, in any pieces.
  TransportScript& Expect(absl::string_view bytes);
  // The peer sends these bytes next.
  TransportScript& Give(absl::string_view bytes);
  // The peer ends the stream, or the stream breaks.
  TransportScript& End();
  TransportScript& Fail(absl::Status status);

  // Whether every step has been made.
  bool Finished() const { return steps_.empty() && trouble_.empty(); }
  // The bytes that were written against the script, or the steps that are left
  // over.
  std::string Trouble() const;

 private:
  friend class ScriptedTransport;

  struct Step {
    enum class Kind { kRefuse, kExpect, kGive, kEnd, kFail };
    Kind kind;
    std::string bytes;
    absl::Status status;
  };

  std::deque<Step> steps_;
  std::string trouble_;
};

class ScriptedTransport final : public Transport {
 public:
  // Makes a connection to the peer of `script`.
  explicit ScriptedTransport(std::shared_ptr<TransportScript> script)
      : script_(std::move(script)) {}

  IoResult Connect() override;
  IoResult Read(absl::Span<char> into) override;
  IoResult Write(absl::Span<const absl::string_view> pieces) override;
  Interest interest(bool want_write) const override;
  void Close() override { closed_ = true; }
  std::string Describe() const override { return "script://peer"; }

 private:
  const std::shared_ptr<TransportScript> script_;
  bool closed_ = false;
};

// Gives each connection the script, one after the other. The steps that one
// connection leaves are those of the next.
class ScriptedTransportFactory final : public TransportFactory {
 public:
  // Every connection has the peer of `script`.
  explicit ScriptedTransportFactory(std::shared_ptr<TransportScript> script)
      : script_(std::move(script)) {}
  absl::StatusOr<std::unique_ptr<Transport>> Create(const Address& address,
                                                    Poller* poller,
                                                    Poller::Key key) override;

 private:
  const std::shared_ptr<TransportScript> script_;
};

}  // namespace testing
}  // namespace gearman

#endif  // GEARMAN_SDK_TESTING_SCRIPTED_TRANSPORT_H_
