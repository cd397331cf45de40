// ConformanceTest: the fixture of the suite. A test runs against each server of
// Variants(); where they differ it asks OnGearmand(difference).
#ifndef GEARMAN_TESTS_CONFORMANCE_FIXTURE_H_
#define GEARMAN_TESTS_CONFORMANCE_FIXTURE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/tests/conformance/differences.h"
#include "gearman/tests/conformance/peer.h"
#include "gearman/tests/conformance/server_under_test.h"
#include "gearman/tests/support/bounds.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace conformance {

using Command = wire::Command;

class ConformanceTest : public ::testing::TestWithParam<Variant> {
 protected:
  // The options of the server that the first connection starts.
  ServerOptions options;

  ServerUnderTest& server() {
    if (server_ == nullptr) server_ = GetParam().start(options);
    return *server_;
  }
  // A new connection, which lives as long as the test.
  Peer& Connect() {
    peers_.push_back(server().Connect());
    return *peers_.back();
  }
  // A connection that has registered these functions, in this order.
  Peer& ConnectWorker(const std::vector<std::string>& functions) {
    Peer& worker = Connect();
    for (const std::string& function : functions) {
      worker.Send(Command::kCanDo, {function});
    }
    EXPECT_THAT(worker.Drain(), ::testing::IsEmpty());
    return worker;
  }
  // A worker that sleeps.
  Peer& ConnectSleeper(const std::vector<std::string>& functions) {
    Peer& worker = ConnectWorker(functions);
    worker.Send(Command::kPreSleep);
    EXPECT_THAT(worker.Drain(), ::testing::IsEmpty());
    return worker;
  }

  // The server is a real gearmand that differs from the embedded one there.
  // Starts it, with the options of now, when that depends on its version.
  bool OnGearmand(Difference difference) {
    const int gone = GoneInGearmand(difference);
    return GetParam().is_gearmand && (gone == 0 || !OnGearmandSince(gone));
  }
  // The server is a real gearmand of this major version or a later one. Starts
  // it, with the options of now.
  bool OnGearmandSince(int version) {
    return GetParam().is_gearmand && server().gearmand_version() >= version;
  }

  // The handle of the n-th job.
  static std::string Handle(int n) { return absl::StrCat("H:test:", n); }
  static Packet Created(int n) { return {Command::kJobCreated, {Handle(n)}}; }
  static Packet Assigned(int n, const std::string& function,
                         const std::string& data) {
    return {Command::kJobAssign, {Handle(n), function, data}};
  }
  static Packet Noop() { return Packet(Command::kNoop); }
  static Packet NoJob() { return Packet(Command::kNoJob); }

  // Submits, and expects the n-th job to be made of it, or to be joined.
  static void Submit(Peer& client, const std::string& function,
                     const std::string& unique, const std::string& data, int n,
                     Command command = Command::kSubmitJob) {
    EXPECT_EQ(client.Call(command, {function, unique, data}), Created(n));
  }
  // known, running, numerator, denominator of the n-th job.
  static std::vector<std::string> Status(Peer& client, int n) {
    Packet status = client.Call(Command::kGetStatus, {Handle(n)});
    EXPECT_EQ(status.command, Command::kStatusRes);
    if (status.arguments.size() != 5) return {};
    EXPECT_EQ(status.arguments[0], Handle(n));
    return {status.arguments.begin() + 1, status.arguments.end()};
  }

  // Asks again and again until `holds`: for what another connection's end
  // causes, of which no event tells.
  static bool Eventually(absl::FunctionRef<bool()> holds) {
    const absl::Time deadline = absl::Now() + support::kBound;
    while (!holds()) {
      if (absl::Now() > deadline) return false;
    }
    return true;
  }
  // Waits until `status` has this line: "f\t1\t0\t2\n".
  static bool StatusBecomes(Peer& admin, const std::string& line) {
    return Eventually([&admin, &line] {
      return absl::StrContains(absl::StrCat("\n", admin.AskList("status\r\n")),
                               absl::StrCat("\n", line));
    });
  }

 private:
  std::unique_ptr<ServerUnderTest> server_;
  std::vector<std::unique_ptr<Peer>> peers_;
};

inline std::string VariantName(
    const ::testing::TestParamInfo<Variant>& variant) {
  return variant.param.name;
}

MATCHER_P(IsError, code, absl::StrCat("is ERROR ", code)) {
  return HasErrorCode(arg, code);
}

}  // namespace conformance
}  // namespace gearman

#endif  // GEARMAN_TESTS_CONFORMANCE_FIXTURE_H_
