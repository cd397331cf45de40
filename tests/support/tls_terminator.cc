#include "gearman/tests/support/tls_terminator.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace gearman {
namespace support {

TlsTerminator::TlsTerminator(uint16_t target_port,
                             const CertificateFiles& files,
                             const std::string& client_ca_file)
    : target_port_(target_port),
      files_(files),
      client_ca_file_(client_ca_file) {
  Start();
}

std::string TlsTerminator::address() const {
  return absl::StrCat("tls://127.0.0.1:", port());
}

void TlsTerminator::Kill() {
  if (process_ != nullptr) process_->Kill();
  process_ = nullptr;
}

void TlsTerminator::Start() {
  SubprocessOptions socat;
  socat.argv = {
      "socat", "-d", "-d",
      absl::StrCat("OPENSSL-LISTEN:", port(),
                   ",bind=127.0.0.1,reuseaddr,fork,backlog=128,cert=",
                   files_.certificate, ",key=", files_.key,
                   client_ca_file_.empty()
                       ? ",verify=0"
                       : absl::StrCat(",verify=1,cafile=", client_ca_file_)),
      absl::StrCat("TCP:127.0.0.1:", target_port_)};
  absl::StatusOr<std::unique_ptr<Subprocess>> process =
      Subprocess::Start(std::move(socat));
  ASSERT_TRUE(process.ok()) << process.status();
  process_ = *std::move(process);
  const absl::Status serves = process_->WaitForErrorOutput("listening on");
  ASSERT_TRUE(serves.ok()) << serves;
}

}  // namespace support
}  // namespace gearman
