// Large writes and reads of a TlsTransport, both ends in one thread: how many
// calls of the stream below they take, and what they say of a stream that takes
// less.
#include <array>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/types/span.h"
#include "gearman/sdk/testing/fake_clock.h"
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

constexpr size_t kRecordBytes = 16384;
// The bytes that TLS 1.3 adds to a record's plain bytes.
constexpr size_t kOverhead = 22;

// The calls to the stream below, and the bytes that it still takes.
struct Below {
  int reads = 0;
  int writes = 0;
  size_t room = std::numeric_limits<size_t>::max();
};

class Limited : public ForwardingTransport {
 public:
  Limited(std::unique_ptr<Transport> next, Below* below)
      : ForwardingTransport(std::move(next)), below_(below) {}
  IoResult Read(absl::Span<char> into) override {
    ++below_->reads;
    return next().Read(into);
  }
  IoResult Write(absl::Span<const absl::string_view> pieces) override {
    if (below_->room == 0) return IoResult::WouldBlock();
    ++below_->writes;
    const std::array<absl::string_view, 1> taken{
        pieces[0].substr(0, below_->room)};
    IoResult result = next().Write(taken);
    below_->room -= result.bytes;
    return result;
  }

 private:
  Below* const below_;
};

class TlsBurstsTest : public ::testing::Test {
 protected:
  TlsBurstsTest() {
    TlsOptions options;
    options.ca_file = certificates_.ca_file();
    TlsServerOptions server_options;
    const auto files = certificates_.Make("server");
    server_options.identity.certificate_file = files.certificate;
    server_options.identity.key_file = files.key;
    auto listener = network_.Listen("server", poller_.get(), 1, {});
    EXPECT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
    auto near = network_.Connect("server", poller_.get(), 2);
    EXPECT_TRUE(near.ok()) << near.status();
    auto far = listener_->Accept(poller_.get(), 3);
    EXPECT_TRUE(far.ok()) << far.status();
    client_ = std::make_unique<TlsTransport>(
        std::make_unique<Limited>(*std::move(near), &below_client_),
        std::make_shared<TlsContext>(options), "localhost", "tls://localhost:1",
        &clock_);
    server_ = std::make_unique<TlsTransport>(
        std::make_unique<Limited>(*std::move(far), &below_server_),
        std::make_shared<TlsContext>(server_options), "", "", &clock_);
    for (int i = 0; i < 100 && !connected(); ++i) server_->Connect();
    EXPECT_TRUE(connected());
    Receive();
    below_client_ = below_server_ = Below();
  }

  bool connected() { return client_->Connect().done(); }
  // Returns the result of a Write of these bytes by the client.
  IoResult Write(absl::string_view bytes) {
    const std::array<absl::string_view, 1> pieces{bytes};
    return client_->Write(pieces);
  }
  // Writes all; the server's end takes it in.
  void WriteAll(absl::string_view bytes) {
    while (!bytes.empty()) {
      const IoResult result = Write(bytes);
      ASSERT_FALSE(result.failed()) << result.status;
      bytes.remove_prefix(result.bytes);
      Receive();
    }
  }
  // Receives everything that has arrived at the server's end.
  void Receive() {
    std::string buffer(1 << 20, '\0');
    for (;;) {
      const IoResult result =
          server_->Read(absl::MakeSpan(&buffer[0], 1 << 20));
      if (!result.done()) return;
      received_.append(buffer, 0, result.bytes);
    }
  }
  static std::string Bytes(size_t size) {
    std::string bytes(size, '\0');
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 >> 2);
    return bytes;
  }

  support::TestCertificates certificates_;
  testing::FakeClock clock_{absl::Now()};
  std::unique_ptr<EpollPoller> poller_ = *EpollPoller::Create();
  InprocNetwork network_;
  std::unique_ptr<Listener> listener_;
  Below below_client_;
  Below below_server_;
  std::unique_ptr<TlsTransport> client_;
  std::unique_ptr<TlsTransport> server_;
  std::string received_;
};

TEST_F(TlsBurstsTest, ManyRecordsLeaveInOneWrite) {
  const std::string bytes = Bytes(200000);
  EXPECT_EQ(Write(bytes).bytes, bytes.size());
  EXPECT_EQ(below_client_.writes, 1);
  Receive();
  EXPECT_TRUE(received_ == bytes);
}

TEST_F(TlsBurstsTest, APeerThatSendsMuchIsReadFromInFewReads) {
  const std::string bytes = Bytes(200000);
  WriteAll(bytes);
  below_server_ = Below();
  WriteAll(bytes);
  // A read that finds nothing more is among them.
  EXPECT_LE(below_server_.reads, 3);
  EXPECT_TRUE(received_ == bytes + bytes);
}

TEST_F(TlsBurstsTest, WhatSmallPacketsFollowAFewReadsLaterIsReadRight) {
  const std::string bytes = Bytes(100000);
  std::string all;
  for (int burst = 0; burst < 3; ++burst) {
    WriteAll(bytes);
    all += bytes;
    for (int i = 0; i < 200; ++i) {
      WriteAll("a small packet");
      all += "a small packet";
    }
  }
  EXPECT_TRUE(received_ == all);
}

TEST_F(TlsBurstsTest, OnlyWholeRecordsCountAsWritten) {
  const std::string bytes = Bytes(5 * kRecordBytes);
  below_client_.room = 2 * (kRecordBytes + kOverhead) + 100;
  EXPECT_EQ(Write(bytes).bytes, 2 * kRecordBytes);
  Receive();
  EXPECT_EQ(received_.size(), 2 * kRecordBytes);
  // The third is on its way, and is not made again.
  below_client_.room = 100;
  absl::string_view rest = absl::string_view(bytes).substr(2 * kRecordBytes);
  EXPECT_TRUE(Write(rest).would_block());
  below_client_.room = std::numeric_limits<size_t>::max();
  EXPECT_EQ(Write(rest).bytes, rest.size());
  Receive();
  EXPECT_TRUE(received_ == bytes);
}

// One byte at a time, and what waits is given again with more behind it.
TEST_F(TlsBurstsTest, AStreamThatTakesLittleGetsEveryByteOnce) {
  const std::string bytes = Bytes(3 * kRecordBytes);
  size_t written = 0;
  for (size_t room = 1; written < bytes.size(); room = room * 3 % 7001 + 1) {
    below_client_.room = room;
    const IoResult result = Write(absl::string_view(bytes).substr(
        written, kRecordBytes + kRecordBytes * (room % 3)));
    ASSERT_FALSE(result.failed()) << result.status;
    written += result.bytes;
    Receive();
    // Write has reported exactly the bytes that the peer can decrypt.
    ASSERT_EQ(received_.size(), written);
  }
  EXPECT_TRUE(received_ == bytes);
}

TEST_F(TlsBurstsTest, NothingSaidBesidesGetsInBetween) {
  const std::string bytes = Bytes(3 * kRecordBytes);
  below_client_.room = 100;
  EXPECT_TRUE(Write(bytes).would_block());
  // The client's goodbye would come inside a record.
  below_client_.room = std::numeric_limits<size_t>::max();
  client_->Close();
  std::string buffer(100, '\0');
  const IoResult result = server_->Read(absl::MakeSpan(&buffer[0], 100));
  EXPECT_TRUE(result.failed());
  EXPECT_EQ(result.status.code(), absl::StatusCode::kUnavailable)
      << result.status;
}

}  // namespace
}  // namespace gearman
