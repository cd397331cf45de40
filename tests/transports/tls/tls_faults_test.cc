// TLS over an in-process stream with faults in between, both ends in one
// thread: whatever the network does, nobody reads what nobody wrote.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/sdk/testing/fake_clock.h"
#include "gearman/sdk/testing/fault_transport.h"
#include "gearman/tests/support/test_certificates.h"
#include "gearman/transports/epoll_poller.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/listener.h"
#include "gearman/transports/tls/tls_context.h"
#include "gearman/transports/tls/tls_options.h"
#include "gearman/transports/tls/tls_transport.h"
#include "gearman/transports/transport.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::gearman::testing::FakeClock;
using ::gearman::testing::FaultPlan;
using ::gearman::testing::FaultTransport;

// Counts the bytes that move.
class Counted : public ForwardingTransport {
 public:
  Counted(std::unique_ptr<Transport> next, uint64_t* bytes)
      : ForwardingTransport(std::move(next)), bytes_(bytes) {}
  IoResult Read(absl::Span<char> into) override {
    IoResult result = next().Read(into);
    *bytes_ += result.bytes;
    return result;
  }
  IoResult Write(absl::Span<const absl::string_view> pieces) override {
    IoResult result = next().Write(pieces);
    *bytes_ += result.bytes;
    return result;
  }

 private:
  uint64_t* const bytes_;
};

// One end: sends a text and takes what comes.
class End {
 public:
  End(std::unique_ptr<TlsTransport> tls, std::string text)
      : tls_(std::move(tls)), text_(std::move(text)) {}

  // Does what can be done now; true: that was something.
  bool Step() {
    if (ended_) return false;
    if (!connected_) {
      const IoResult result = tls_->Connect();
      if (result.would_block()) return false;
      if (!result.done()) return Ended(result);
      connected_ = true;
      return true;
    }
    bool moved = false;
    if (sent_ < text_.size()) {
      const std::array<absl::string_view, 2> pieces{
          absl::string_view(text_).substr(sent_, 10),
          absl::string_view(text_).substr(std::min(sent_ + 10, text_.size()))};
      const IoResult result = tls_->Write(pieces);
      if (result.failed()) return Ended(result);
      sent_ += result.bytes;
      moved = result.done();
    }
    char buffer[3000];
    const IoResult result = tls_->Read(absl::MakeSpan(buffer));
    if (result.closed() || result.failed()) return Ended(result);
    received_.append(buffer, result.bytes);
    return moved || result.done();
  }
  void Close() { tls_->Close(); }

  TlsTransport& tls() { return *tls_; }
  const std::string& text() const { return text_; }
  const std::string& received() const { return received_; }
  bool connected() const { return connected_; }
  bool ended() const { return ended_; }
  const absl::Status& failure() const { return failure_; }

 private:
  bool Ended(const IoResult& result) {
    ended_ = true;
    failure_ = result.status;
    return true;
  }

  const std::unique_ptr<TlsTransport> tls_;
  const std::string text_;
  size_t sent_ = 0;
  std::string received_;
  bool connected_ = false;
  bool ended_ = false;
  absl::Status failure_;
};

class TlsFaultsTest : public ::testing::Test {
 protected:
  TlsFaultsTest() {
    TlsOptions options;
    options.ca_file = certificates_.ca_file();
    client_context_ = std::make_shared<TlsContext>(options);
    TlsServerOptions server_options;
    const auto files = certificates_.Make("server");
    server_options.identity.certificate_file = files.certificate;
    server_options.identity.key_file = files.key;
    server_context_ = std::make_shared<TlsContext>(server_options);
    auto listener = network_.Listen("server", poller_.get(), 1, {});
    EXPECT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
  }

  // Connects the two, with `plan` on the client's side.
  void Start(const FaultPlan& plan, const std::string& from_client,
             const std::string& from_server) {
    auto near = network_.Connect("server", poller_.get(), 2);
    ASSERT_TRUE(near.ok()) << near.status();
    auto far = listener_->Accept(poller_.get(), 3);
    ASSERT_TRUE(far.ok()) << far.status();
    client_ = std::make_unique<End>(
        std::make_unique<TlsTransport>(
            std::make_unique<FaultTransport>(
                std::make_unique<Counted>(*std::move(near), &bytes_), plan,
                &clock_),
            client_context_, "localhost", "tls://localhost:1", &clock_),
        from_client);
    server_ = std::make_unique<End>(
        std::make_unique<TlsTransport>(
            std::make_unique<Counted>(*std::move(far), &bytes_),
            server_context_, "", "", &clock_),
        from_server);
  }
  // Until nothing moves. An end that has ended closes.
  void Run() {
    uint64_t before = 0;
    bool moved = true;
    while (moved || bytes_ != before) {
      before = bytes_;
      moved = false;
      for (End* end : {client_.get(), server_.get()}) {
        if (!end->Step()) continue;
        moved = true;
        if (end->ended()) end->Close();
      }
    }
  }
  bool Complete() const {
    return client_->received() == server_->text() &&
           server_->received() == client_->text();
  }
  void ExpectNothingForged() const {
    EXPECT_TRUE(absl::StartsWith(server_->text(), client_->received()));
    EXPECT_TRUE(absl::StartsWith(client_->text(), server_->received()));
  }
  // Runs with a fault at each offset, `set` in the plan, until one is not
  // reached. Returns how many were.
  template <typename Set>
  uint64_t RunEachOffset(bool may_stall, Set set) {
    for (uint64_t offset = 0; offset < 100000; ++offset) {
      FaultPlan plan;
      set(offset, &plan);
      Start(plan, "what the client says", "what the server says");
      Run();
      if (HasNonfatalFailure()) return 0;
      ExpectNothingForged();
      if (Complete() && !client_->ended() && !server_->ended()) {
        // Not reached; or a byte that makes no difference.
        if (++unharmed_ == 20) return offset;
        continue;
      }
      // The length of a record that is corrupted has its reader wait for more:
      // time limits end that.
      EXPECT_TRUE(may_stall || client_->ended()) << offset;
      unharmed_ = 0;
      if (!client_->failure().ok()) ++refused_;
    }
    ADD_FAILURE() << "the stream has no end";
    return 0;
  }
  support::TestCertificates certificates_;
  FakeClock clock_{absl::Now()};
  std::unique_ptr<EpollPoller> poller_ = *EpollPoller::Create();
  InprocNetwork network_;
  std::unique_ptr<Listener> listener_;
  std::shared_ptr<TlsContext> client_context_;
  std::shared_ptr<TlsContext> server_context_;
  std::unique_ptr<End> client_;
  std::unique_ptr<End> server_;
  uint64_t bytes_ = 0;
  int unharmed_ = 0;
  int refused_ = 0;
};

TEST_F(TlsFaultsTest, EveryByteArrivesInWhateverPieces) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    FaultPlan plan;
    plan.seed = seed;
    plan.max_piece = seed % 3 == 0 ? 1 : seed * seed;
    std::string long_text(seed * 1000, 'x');
    for (size_t i = 0; i < long_text.size(); ++i) {
      long_text[i] = static_cast<char>(i * 7 + seed);
    }
    Start(plan, long_text, absl::StrCat(long_text, "!"));
    Run();
    EXPECT_TRUE(Complete())
        << seed << ": " << client_->failure() << " " << server_->failure();
  }
}

TEST_F(TlsFaultsTest, NothingButWhatWasSaidIsReadWhereverTheStreamIsCut) {
  const uint64_t written =
      RunEachOffset(false, [](uint64_t offset, FaultPlan* plan) {
        plan->cut_after_written = offset;
      });
  EXPECT_GT(written, 300u);
  const uint64_t read = RunEachOffset(
      false,
      [](uint64_t offset, FaultPlan* plan) { plan->cut_after_read = offset; });
  EXPECT_GT(read, 600u);
}

TEST_F(TlsFaultsTest, NothingButWhatWasSaidIsReadWhicheverByteIsCorrupted) {
  const uint64_t written =
      RunEachOffset(true, [](uint64_t offset, FaultPlan* plan) {
        plan->corrupt_written_at = offset;
      });
  EXPECT_GT(written, 300u);
  const uint64_t read = RunEachOffset(
      true,
      [](uint64_t offset, FaultPlan* plan) { plan->corrupt_read_at = offset; });
  EXPECT_GT(read, 600u);
  EXPECT_GT(refused_, 300);
}

TEST_F(TlsFaultsTest, AnEndThatIsThereAlreadyIsToldAfterTheBytesBeforeIt) {
  Start(FaultPlan(), "question", "answer");
  Run();
  ASSERT_TRUE(Complete());
  const std::array<absl::string_view, 1> more{"more"};
  TlsTransport& server = server_->tls();
  TlsTransport& client = client_->tls();
  EXPECT_EQ(server.Write(more).bytes, 4u);
  EXPECT_EQ(server.Write(more).bytes, 4u);
  server.Close();
  char buffer[100];
  IoResult result = client.Read(absl::MakeSpan(buffer));
  EXPECT_EQ(absl::string_view(buffer, result.bytes), "moremore");
  EXPECT_TRUE(client.interest(false).ready_now);
  result = client.Read(absl::MakeSpan(buffer));
  EXPECT_TRUE(result.closed()) << result.status;
}

TEST_F(TlsFaultsTest, APeerThatNeverBeginsIsNotWaitedForLongerThanTenSeconds) {
  Start(FaultPlan(), "", "");
  EXPECT_FALSE(server_->Step());
  EXPECT_EQ(server_->tls().interest(false).deadline,
            clock_.Now() + absl::Seconds(10));
  clock_.Advance(absl::Seconds(10));
  EXPECT_TRUE(server_->Step());
  EXPECT_EQ(server_->failure().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(TlsFaultsTest, APeerThatStopsInTheHandshakeIsNotWaitedForEither) {
  FaultPlan plan;
  plan.black_hole_after_written = 100;
  Start(plan, "", "");
  Run();
  EXPECT_FALSE(server_->connected());
  clock_.Advance(absl::Seconds(10));
  EXPECT_TRUE(server_->Step());
  EXPECT_EQ(server_->failure().code(), absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace gearman
