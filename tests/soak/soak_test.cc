// A soak: clients, workers and admin clients under steady mixed load, at a real
// gearmand and at embedded servers over TCP and TLS, while connections are
// cut and gearmand dies now and then. Nothing may be lost, and nothing may
// grow.
//
// A test run takes a few seconds of it. tools/soak takes SOAK_MINUTES.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/tests/soak/load.h"
#include "gearman/tests/soak/watch.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/process_counts.h"
#include "gearman/tests/support/test_certificates.h"
#include "gearman/tests/support/wait_for.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/tls/tls_options.h"
#include "gearman/transports/tls/tls_transport.h"
#include "gearman/transports/transport_factory.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace soak {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Cycles before the first sample: caches fill.
constexpr int kWarmUp = 6;
// Cycles between two deaths of gearmand.
constexpr uint64_t kCyclesOfGearmand = 10;
// Connections at an embedded server that stay: a client, a worker and an admin
// client.
constexpr size_t kStaying = 3;

class SoakTest : public ::testing::Test {
 protected:
  void SetUp() override;
  // Cycles until the budget is used up, and at least as many as tell growth.
  // `after_cycle` is called before each sample.
  void Run(absl::Duration budget, const std::function<void()>& after_cycle);

  void AddLoad(const std::string& address, absl::string_view scheme,
               std::shared_ptr<TransportFactory> factory);
  void Cycle();
  void RestartGearmand();
  void Print(absl::Duration took) const;

  support::TestCertificates certificates_;
  support::GearmandProcess gearmand_{{"--verbose=ERROR"}};
  // Over TCP and over TLS.
  std::vector<std::unique_ptr<JobServer>> embedded_;
  // At gearmand, and at the embedded servers.
  std::vector<std::unique_ptr<Load>> loads_;
  Watch watch_;
  uint64_t cycles_ = 0;
  uint64_t restarts_ = 0;
};

void SoakTest::SetUp() {
  ASSERT_TRUE(gearmand_.ok());
  const support::CertificateFiles files = certificates_.Make("server");
  TlsServerOptions server_tls;
  server_tls.identity.certificate_file = files.certificate;
  server_tls.identity.key_file = files.key;
  TlsOptions tls;
  tls.ca_file = certificates_.ca_file();
  const auto tcp = std::make_shared<TcpTransportFactory>();
  const auto over_tls = std::make_shared<TlsTransportFactory>(tls, server_tls);

  // A submission that is repeated at gearmand after a cut may join the job that
  // the cut has left behind, which gearmand drops (docs/protocol.md, trap 18).
  AddLoad(gearmand_.address(), "tcp", tcp);
  const std::pair<const char*, std::shared_ptr<TransportFactory>> embedded[] = {
      {"tcp", tcp}, {"tls", over_tls}};
  for (const auto& [scheme, factory] : embedded) {
    if (HasFatalFailure()) return;
    JobServerOptions options;
    options.transports = std::make_shared<TransportRegistry>();
    ASSERT_TRUE(options.transports->Register("tls", over_tls).ok());
    // Connections are cut in the middle of packets, which is no news here.
    options.logger = Logger();
    auto server = JobServer::Create(std::move(options));
    ASSERT_TRUE(server.ok()) << server.status();
    embedded_.push_back(*std::move(server));
    const auto address =
        embedded_.back()->Listen(absl::StrCat(scheme, "://127.0.0.1:0"));
    ASSERT_TRUE(address.ok()) << address.status();
    AddLoad(*address, scheme, factory);
  }
}

void SoakTest::AddLoad(const std::string& address, absl::string_view scheme,
                       std::shared_ptr<TransportFactory> factory) {
  auto load = Load::Create(address, scheme, std::move(factory),
                           1'000'000 * (loads_.size() + 1));
  ASSERT_TRUE(load.ok()) << load.status();
  loads_.push_back(*std::move(load));
}

void SoakTest::Run(absl::Duration budget,
                   const std::function<void()>& after_cycle) {
  const absl::Time begin = absl::Now();
  for (int i = 0; i < kWarmUp && !HasFatalFailure(); ++i) Cycle();
  while (watch_.size() < Watch::kFewest || absl::Now() < begin + budget) {
    Cycle();
    if (HasFatalFailure()) return;
    if (after_cycle) after_cycle();
    watch_.Add(MeasureResources());
  }
  Print(absl::Now() - begin);
}

void SoakTest::Cycle() {
  std::vector<std::thread> threads;
  for (const auto& load : loads_) {
    threads.emplace_back([&load] { load->Cycle(); });
  }
  for (std::thread& thread : threads) thread.join();
  if (++cycles_ % kCyclesOfGearmand == 0) RestartGearmand();
  // The servers must have seen each end, too.
  for (const auto& server : embedded_) {
    ASSERT_TRUE(support::WaitFor([&server] {
      return server->connections() <= kStaying;
    })) << server->connections()
        << " connections";
  }
}

// Nothing is under way: gearmand keeps no job over its death.
void SoakTest::RestartGearmand() {
  gearmand_.Kill();
  ASSERT_TRUE(gearmand_.Restart().ok());
  ++restarts_;
  const absl::Status status = loads_[0]->WaitUntilServed();
  ASSERT_TRUE(status.ok()) << status;
}

void SoakTest::Print(absl::Duration took) const {
  LoadCounts sum;
  for (const auto& load : loads_) {
    const LoadCounts counts = load->counts();
    sum.jobs += counts.jobs;
    sum.cancelled += counts.cancelled;
    sum.background += counts.background;
    sum.failed += counts.failed;
    sum.questions += counts.questions;
    sum.unanswered += counts.unanswered;
    sum.connections += counts.connections;
  }
  const Resources early = watch_.Early();
  const Resources late = watch_.Late();
  const auto kib = [](const Resources& resources) {
    return static_cast<long long>(resources.resident_bytes / 1024);
  };
  const auto number = [](auto value) { return static_cast<long long>(value); };
  std::printf(
      "%.1f minutes, %lld cycles: %lld jobs (%lld in the background, %lld to "
      "fail, %lld cancelled), %lld questions (%lld cut off)\n"
      "%lld connections were cut, gearmand died %lld times\n"
      "resident: %lld KiB early, %lld KiB late; descriptors: %lld, %lld; "
      "threads: %lld, %lld (gearmand: %lld KiB)\n",
      absl::ToDoubleMinutes(took), number(cycles_), number(sum.jobs),
      number(sum.background), number(sum.failed), number(sum.cancelled),
      number(sum.questions), number(sum.unanswered),
      // A client and a worker of each load began with one.
      number(sum.connections - 2 * loads_.size() - 2 * restarts_),
      number(restarts_), kib(early), kib(late), number(early.descriptors),
      number(late.descriptors), number(early.threads), number(late.threads),
      number(support::ResidentBytes(gearmand_.pid()) / 1024));
}

absl::Duration Budget() {
  const char* const text = std::getenv("SOAK_MINUTES");
  if (text == nullptr) return absl::Seconds(5);
  double minutes = 0;
  EXPECT_TRUE(absl::SimpleAtod(text, &minutes)) << text;
  return absl::Minutes(minutes);
}

TEST_F(SoakTest, LosesNothingAndNeedsNoMoreAndMore) {
  Run(Budget(), nullptr);
  for (const auto& load : loads_) {
    EXPECT_EQ(load->broken(), 0u);
    EXPECT_THAT(load->problems(), IsEmpty());
    // More than those that it began with: some were cut.
    EXPECT_GT(load->counts().connections, 2 + 2 * restarts_);
  }
  EXPECT_THAT(watch_.Growth({}), IsEmpty());
}

// The soak itself can fail.
TEST_F(SoakTest, SeesWhatIsNotGivenBack) {
  std::vector<std::string> memory;
  std::vector<int> descriptors;
  std::vector<std::thread> threads;
  absl::Notification end;
  Run(absl::ZeroDuration(), [&] {
    memory.emplace_back(4 << 20, 'x');
    for (int i = 0; i < 2; ++i) {
      descriptors.push_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
    }
    threads.emplace_back([&end] { end.WaitForNotification(); });
  });
  const std::vector<std::string> growth = watch_.Growth({});
  EXPECT_THAT(growth, SizeIs(3));
  for (const char* const name : {"resident bytes", "descriptors", "threads"}) {
    EXPECT_THAT(growth, Contains(HasSubstr(name)));
  }
  end.Notify();
  for (std::thread& thread : threads) thread.join();
  for (const int descriptor : descriptors) close(descriptor);
}

}  // namespace
}  // namespace soak
}  // namespace gearman
