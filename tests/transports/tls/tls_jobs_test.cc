// Jobs over TLS, the whole way.
#include <cstddef>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/tests/support/body_sources.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/test_certificates.h"
#include "gearman/tests/support/tls_terminator.h"
#include "gearman/tests/transports/tls/tls_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::kBound;

class TlsJobsTest : public TlsTest {
 protected:
  ~TlsJobsTest() override {
    if (worker_ != nullptr) worker_->Stop();
    if (thread_.joinable()) thread_.join();
  }

  // A worker of "echo" at `address`, as `client_options_` say.
  void StartWorker(const std::string& address) {
    WorkerOptions options;
    options.servers = {address};
    options.transports = Transports(client_options_);
    auto worker = Worker::Create(std::move(options));
    ASSERT_TRUE(worker.ok()) << worker.status();
    worker_ = *std::move(worker);
    ASSERT_TRUE(
        worker_
            ->Register("echo",
                       [](JobContext& context) -> absl::StatusOr<std::string> {
                         const absl::string_view data = context.job().data();
                         return std::string(data.data(), data.size());
                       })
            .ok());
    ASSERT_TRUE(worker_->Register("mirror", gearman::testing::MirrorBody).ok());
    thread_ = std::thread([this] { EXPECT_TRUE(worker_->Run().ok()); });
  }
  static void ExpectEcho(Client& client, size_t size) {
    std::string data(size, '\0');
    for (size_t i = 0; i < size; ++i) data[i] = static_cast<char>(i * 31 >> 2);
    const absl::StatusOr<std::string> result = client.Run("echo", data);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_TRUE(*result == data) << size;
  }
  static void ExpectManyEchoes(Client& client, int count) {
    std::vector<JobRequest> requests;
    for (int i = 0; i < count; ++i) {
      requests.push_back(client.SubmitJob("echo", absl::StrCat(i)));
    }
    ASSERT_TRUE(client.WaitUntilJobsCompleted(requests, kBound).ok());
    for (int i = 0; i < count; ++i) {
      EXPECT_EQ(requests[static_cast<size_t>(i)].result(), absl::StrCat(i));
    }
  }

  std::unique_ptr<Worker> worker_;
  std::thread thread_;
};

TEST_F(TlsJobsTest, JobsOfAnySizePassBothWays) {
  const std::string address = Serve();
  StartWorker(address);
  const auto client = MakeClient(address);
  // Around the size of a record, and far beyond.
  for (const size_t size : {size_t{0}, size_t{1}, size_t{16383}, size_t{16384},
                            size_t{16385}, size_t{16} << 20}) {
    ExpectEcho(*client, size);
  }
  ExpectManyEchoes(*client, 5000);
}

TEST_F(TlsJobsTest, BodiesFromSourcesPassBothWays) {
  const std::string address = Serve();
  StartWorker(address);
  const auto client = MakeClient(address);
  // Around the size of a record, around that of a part, and far beyond.
  for (const size_t size : {size_t{1}, size_t{16384}, size_t{16385},
                            size_t{262144}, size_t{262145}, size_t{16} << 20}) {
    JobSpec spec("mirror", "");
    spec.body = std::make_shared<gearman::testing::PatternSource>(size);
    const JobRequest request = client->SubmitJob(std::move(spec));
    const auto result = client->Result(request, kBound);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_TRUE(*result == gearman::testing::PatternBytes(0, size)) << size;
  }
}

TEST_F(TlsJobsTest, JobsPassARealGearmandBehindATerminator) {
  support::GearmandProcess gearmand;
  ASSERT_TRUE(gearmand.ok());
  const support::TlsTerminator terminator(gearmand.port(),
                                          certificates_.Make("terminator"),
                                          certificates_.ca_file());
  ASSERT_TRUE(terminator.ok());
  UseIdentity(certificates_.Make("client"), &client_options_);
  StartWorker(terminator.address());
  const auto client = MakeClient(terminator.address());
  ExpectEcho(*client, size_t{16} << 20);
  ExpectManyEchoes(*client, 1000);
  const JobRequest background = client->SubmitBackgroundJob("nobody's", "data");
  ASSERT_TRUE(client->WaitUntilJobsAccepted({background}, kBound).ok());
  const auto status = gearmand.Admin("status");
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_THAT(*status, ::testing::IsSupersetOf({"nobody's\t1\t0\t0"}));
}

// Debian's gearmand takes --ssl and speaks plain TCP; one that was built with
// TLS wants no certificate of its clients, and takes any.
TEST_F(TlsJobsTest, AGearmandWithSslServesOrIsKnownToSpeakPlainTcp) {
  const CertificateFiles files = certificates_.Make("server");
  support::GearmandProcess gearmand(
      {"--ssl", absl::StrCat("--ssl-ca-file=", certificates_.ca_file()),
       absl::StrCat("--ssl-certificate=", files.certificate),
       absl::StrCat("--ssl-key=", files.key)});
  ASSERT_TRUE(gearmand.ok());
  const std::string address = absl::StrCat("tls://127.0.0.1:", gearmand.port());
  absl::StatusOr<support::RawConnection> plain =
      support::RawConnection::Connect(gearmand.port());
  ASSERT_TRUE(plain.ok()) << plain.status();
  ASSERT_TRUE(plain->Send("version\r\n").ok());
  if (plain->ReceiveLine().ok()) {
    ExpectUntrusted(address, "plain TCP, not TLS");
    return;
  }
  StartWorker(address);
  const auto client = MakeClient(address);
  ExpectEcho(*client, size_t{16} << 20);
  ExpectManyEchoes(*client, 1000);
  UseIdentity(certificates_.Make("client"), &client_options_);
  EXPECT_TRUE(Ask(address).ok()) << Ask(address);
  support::TestCertificates strangers("Another CA");
  UseIdentity(strangers.Make("client"), &client_options_);
  EXPECT_TRUE(Ask(address).ok()) << Ask(address);
}

TEST_F(TlsJobsTest, AClientSurvivesTheDeathOfTheTerminator) {
  support::GearmandProcess gearmand;
  ASSERT_TRUE(gearmand.ok());
  support::TlsTerminator terminator(gearmand.port(),
                                    certificates_.Make("terminator"));
  ASSERT_TRUE(terminator.ok());
  StartWorker(terminator.address());
  const auto client = MakeClient(terminator.address());
  ExpectEcho(*client, 1000);
  terminator.Kill();
  const absl::Status lost = client->Run("echo", "data").status();
  EXPECT_EQ(lost.code(), absl::StatusCode::kUnavailable) << lost;
  terminator.Start();
  ExpectEcho(*client, 1000);
}

}  // namespace
}  // namespace gearman
