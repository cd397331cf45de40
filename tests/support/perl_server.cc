#include "gearman/tests/support/perl_server.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/wait_for.h"
#include "gtest/gtest.h"

namespace gearman {
namespace support {

PerlServer::PerlServer() {
  SubprocessOptions options;
  options.argv = {"/usr/bin/perl", "/usr/bin/gearmand", "--listen", "127.0.0.1",
                  "--port",        absl::StrCat(port())};
  absl::StatusOr<std::unique_ptr<Subprocess>> process =
      Subprocess::Start(std::move(options));
  EXPECT_TRUE(process.ok()) << process.status();
  if (!process.ok()) return;
  process_ = *std::move(process);
  EXPECT_TRUE(WaitFor([this] { return RawConnection::Connect(port()).ok(); }))
      << process_->error_output();
}

std::string PerlServer::address() const {
  return absl::StrCat("tcp://127.0.0.1:", port());
}

}  // namespace support
}  // namespace gearman
