// gearctl with standard output or standard error that is a full pipe, which
// nobody reads: a signal ends it all the same.
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/sdk/job_context.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/tests/support/test_directory.h"
#include "gearman/tests/support/wait_for.h"
#include "gearman/tests/tools/gearctl/gearctl_fixture.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

// A named pipe that holds one page, and that nobody reads.
class SmallPipe {
 public:
  SmallPipe() {
    EXPECT_EQ(mkfifo(path().c_str(), 0600), 0);
    pipe_ = open(path().c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
    EXPECT_GE(pipe_, 0);
    size_ = fcntl(pipe_, F_SETPIPE_SZ, 4096);
    EXPECT_GE(size_, 4096);
  }
  ~SmallPipe() { close(pipe_); }

  std::string path() const { return directory_.File("pipe"); }
  bool full() const {
    int bytes = 0;
    return ioctl(pipe_, FIONREAD, &bytes) == 0 && bytes == size_;
  }
  // Reads until `text` has come.
  bool WaitForText(const std::string& text) const {
    std::string read_text;
    return support::WaitFor([&] {
      char buffer[4096];
      const ssize_t size = read(pipe_, buffer, sizeof buffer);
      if (size > 0) read_text.append(buffer, static_cast<size_t>(size));
      return absl::StrContains(read_text, text);
    });
  }
  void Fill() const {
    while (write(pipe_, "x", 1) == 1) {
    }
    EXPECT_TRUE(full());
  }

 private:
  const support::TestDirectory directory_;
  int pipe_ = -1;
  int size_ = 0;
};

class FullStreamsTest : public ::testing::Test {
 protected:
  FullStreamsTest() : worker_(server_.address()) {
    worker_.Register("result",
                     [](JobContext&) { return std::string(100'000, 'x'); });
    worker_.Register(
        "data", [](JobContext& context) -> absl::StatusOr<std::string> {
          context.SendData(std::string(100'000, 'x')).IgnoreError();
          return std::string();
        });
    worker_.Start();
  }

  // Starts gearctl with a stream ("1>", "2>") that goes to the pipe.
  std::unique_ptr<Subprocess> Start(const std::string& command,
                                    const std::string& stream,
                                    const SmallPipe& pipe) {
    support::SubprocessOptions options = GearctlOptions({});
    options.argv = {"sh", "-c",
                    absl::StrCat("exec ", kGearctl, " ", command, " ", stream,
                                 pipe.path())};
    options.environment["GEARMAN_SERVERS"] = server_.address();
    options.input = "line\n";
    absl::StatusOr<std::unique_ptr<Subprocess>> process =
        Subprocess::Start(std::move(options));
    EXPECT_TRUE(process.ok()) << process.status();
    return *std::move(process);
  }
  // Sends the signal until the program has ended, because one that comes before
  // the program waits for the pipe asks it to come to a good end.
  static void ExpectEnd(int signal, Subprocess& process) {
    EXPECT_TRUE(support::WaitFor([&] {
      process.Signal(signal);
      return !process.running();
    })) << "signal "
        << signal;
  }

  ServerProcess server_;
  TestWorker worker_;
};

TEST_F(FullStreamsTest, ASignalEndsWhatWaitsForStandardOutput) {
  // A list that is longer than a page.
  std::vector<std::string> create = {"create", "--server", server_.address()};
  for (int i = 0; i < 60; ++i) {
    create.push_back(absl::StrCat(std::string(100, 't'), i));
  }
  ASSERT_EQ(Gearctl(create).status.code, 0);
  for (const int signal : {SIGINT, SIGTERM}) {
    for (const char* command :
         {"submit result --data x", "submit data --data x",
          "submit result --lines", "status --watch --interval 10ms"}) {
      const SmallPipe pipe;
      const auto process = Start(command, "1>", pipe);
      EXPECT_TRUE(support::WaitFor([&] { return pipe.full(); })) << command;
      ExpectEnd(signal, *process);
      const auto end = process->Wait();
      ASSERT_TRUE(end.ok()) << end.status();
      EXPECT_TRUE(end->signal == signal || end->code == 130)
          << command << end->ToString();
    }
  }
}

TEST_F(FullStreamsTest, ASignalEndsAWorkerThatWaitsForStandardError) {
  const SmallPipe pipe;
  const auto worker = Start("work t -- false", "2>", pipe);
  ASSERT_TRUE(pipe.WaitForText("works on"));
  pipe.Fill();
  ASSERT_EQ(Gearctl({"submit", "t", "--background", "--data", "", "--server",
                     server_.address()})
                .status.code,
            0);
  // The handler has begun, and must say that the command has failed.
  EXPECT_TRUE(support::WaitFor([&] {
    return absl::StrContains(
        Gearctl({"status", "t", "--json", "--server", server_.address()})
            .output,
        "\"running\":1");
  }));
  ExpectEnd(SIGTERM, *worker);
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
