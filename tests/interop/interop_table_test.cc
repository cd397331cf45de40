// The tables of docs/guide/interop.md are what real peers do. Each test makes one
// column of one table and compares it with the document. Written anew by
//
//   INTEROP_WRITE="$PWD/docs/guide/interop.md" bazel run
//   //tests/interop:interop_table_test
#include "gearman/tests/interop/interop_table.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/job_id.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/perl_server.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/tests/support/test_directory.h"
#include "gearman/tests/support/wait_for.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace interop {
namespace {

using support::ProgramResult;
using support::RawConnection;
using support::Subprocess;
using support::SubprocessOptions;
using support::WaitFor;

constexpr char kUnique[] = "join-me";
// The cell of a client that waits forever.
constexpr char kNeverTold[] = "is never told";
constexpr char kCannot[] = "-";

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A server of one of the kinds, while it lives.
class RunningServer {
 public:
  explicit RunningServer(Server kind) : kind_(kind) {
    switch (kind) {
      case Server::kGearmand:
        gearmand_ = std::make_unique<support::GearmandProcess>();
        port_ = gearmand_->port();
        break;
      case Server::kEmbedded:
        StartEmbedded();
        break;
      case Server::kPerl:
        perl_ = std::make_unique<support::PerlServer>();
        port_ = perl_->port();
    }
  }
  uint16_t port() const { return port_; }

  // How many clients wait for the job of the unique.
  int64_t WaitingClients() {
    if (kind_ == Server::kPerl) return PerlListeners();
    ClientOptions options;
    options.servers = {absl::StrCat("tcp://127.0.0.1:", port_)};
    options.transports = TcpOnly();
    const absl::StatusOr<std::unique_ptr<Client>> client =
        Client::Create(std::move(options));
    if (!client.ok()) return -1;
    JobId id;
    id.unique = kUnique;
    const absl::StatusOr<JobStatus> status = (*client)->GetJobStatus(id, kLong);
    return status.ok() ? status->client_count : -1;
  }

 private:
  void StartEmbedded() {
    absl::StatusOr<std::unique_ptr<JobServer>> server =
        JobServer::Create(JobServerOptions());
    ASSERT_TRUE(server.ok()) << server.status();
    embedded_ = *std::move(server);
    const absl::StatusOr<std::string> address =
        embedded_->Listen("tcp://127.0.0.1:0");
    ASSERT_TRUE(address.ok()) << address.status();
    int port = 0;
    ASSERT_TRUE(absl::SimpleAtoi(
        std::string(address->substr(address->rfind(':') + 1)), &port));
    port_ = static_cast<uint16_t>(port);
  }
  // "function\tunique\tworker\tlisteners\n" for each job, then ".\n".
  int64_t PerlListeners() {
    absl::StatusOr<RawConnection> connection = RawConnection::Connect(port_);
    if (!connection.ok() || !connection->Send("jobs\n").ok()) return -1;
    for (;;) {
      const absl::StatusOr<std::string> line = connection->ReceiveLine();
      if (!line.ok() || *line == ".\n") return 0;
      const std::vector<std::string> fields = absl::StrSplit(*line, '\t');
      int64_t listeners = 0;
      if (fields.size() == 4 && fields[1] == kUnique &&
          absl::SimpleAtoi(fields[3], &listeners)) {
        return listeners;
      }
    }
  }

  const Server kind_;
  uint16_t port_ = 0;
  std::unique_ptr<support::GearmandProcess> gearmand_;
  std::unique_ptr<JobServer> embedded_;
  std::unique_ptr<support::PerlServer> perl_;
};

// Locks a file for itself alone. A worker's "join" ends when it gets the lock.
class FileLock {
 public:
  explicit FileLock(const std::string& path)
      : file_(open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)) {
    EXPECT_EQ(flock(file_, LOCK_EX), 0) << path;
  }
  ~FileLock() { Release(); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  void Release() {
    if (file_ >= 0) close(std::exchange(file_, -1));
  }

 private:
  int file_;
};

class InteropTableTest : public ::testing::TestWithParam<Column> {
 protected:
  std::unique_ptr<Subprocess> Start(const std::vector<std::string>& program,
                                    std::vector<std::string> arguments,
                                    std::string input) {
    SubprocessOptions options;
    options.argv = program;
    options.argv.push_back(absl::StrCat(server_.port()));
    for (std::string& argument : arguments) {
      options.argv.push_back(std::move(argument));
    }
    options.input = std::move(input);
    absl::StatusOr<std::unique_ptr<Subprocess>> process =
        Subprocess::Start(std::move(options));
    EXPECT_TRUE(process.ok()) << process.status();
    return process.ok() ? *std::move(process) : nullptr;
  }
  std::string End(Subprocess* client) {
    if (client == nullptr) return "";
    const absl::StatusOr<support::ExitStatus> status = client->Wait();
    if (!status.ok()) {
      ADD_FAILURE() << status.status();
      return kNeverTold;
    }
    SCOPED_TRACE(client->error_output());
    return CellOf({*status, client->output(), client->error_output()});
  }
  std::string Cell(const Row& row) {
    if (row.task == "join") return JoinCell(row);
    return End(Start(GetParam().client, {row.task, "u"},
                     row.task == "large" ? LargePayload() : "x")
                   .get());
  }
  // Two clients ask for the same job, and the worker goes on when both wait.
  std::string JoinCell(const Row& row) {
    const std::string go = folder_.File("go");
    FileLock lock(go);
    const auto first = Start(GetParam().client, {row.task, kUnique}, go);
    const auto second = Start(GetParam().client, {row.task, kUnique}, go);
    EXPECT_TRUE(WaitFor([this] { return server_.WaitingClients() == 2; }));
    lock.Release();
    const std::string heard = End(first.get());
    EXPECT_EQ(End(second.get()), heard);
    EXPECT_EQ(ReadAll(absl::StrCat(go, ".runs")), "x");
    return absl::StrCat("both ", heard);
  }

  const support::TestDirectory folder_;
  RunningServer server_{GetParam().server};
};

TEST_P(InteropTableTest, IsWhatThePeersDo) {
  const Column& column = GetParam();
  // Tests load nothing from the network.
  if (column.needs_npm && std::getenv("NODE_PATH") == nullptr) {
    GTEST_SKIP() << "tests/interop/npm_peers installs this library and runs "
                    "this test with it";
  }
  const char* const write = std::getenv("INTEROP_WRITE");
  const std::string path = write != nullptr ? write : "docs/guide/interop.md";
  std::string document = ReadAll(path);
  const std::unique_ptr<Subprocess> worker = Start(column.worker, {}, "");
  ASSERT_NE(worker, nullptr);
  ASSERT_TRUE(worker->WaitForOutput("ready").ok());
  for (const Row& row : Rows()) {
    SCOPED_TRACE(row.title);
    const bool cannot = std::find(column.without.begin(), column.without.end(),
                                  row.task) != column.without.end();
    const std::string cell = cannot ? kCannot : Cell(row);
    EXPECT_NE(cell, "");
    ASSERT_FALSE(absl::StrContains(cell, kNeverTold));
    if (write != nullptr) {
      document = WithCell(document, column, row, cell);
      continue;
    }
    const absl::StatusOr<std::string> said = FindCell(document, column, row);
    ASSERT_TRUE(said.ok()) << said.status();
    EXPECT_EQ(*said, cell);
  }
  if (write != nullptr) std::ofstream(path) << document;
}

std::string NameOf(const ::testing::TestParamInfo<Column>& info) {
  std::string name;
  for (const char c : absl::StrCat(info.param.table, " ", info.param.title)) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c))) name += c;
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Columns, InteropTableTest,
                         ::testing::ValuesIn(Columns().begin(),
                                             Columns().end()),
                         NameOf);

}  // namespace
}  // namespace interop
}  // namespace gearman
