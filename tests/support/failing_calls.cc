#include "gearman/tests/support/failing_calls.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace gearman {
namespace support {
namespace {

constexpr char kPreload[] = "tests/support/failing_calls_preload.so";
constexpr char kCountsFile[] = "counts";

}  // namespace

const std::vector<int>& CallErrors() {
  static const auto* const errors =
      new std::vector<int>{EMFILE, ENFILE, ENOMEM, ENOSYS, EPERM, EAGAIN};
  return *errors;
}

FailingCalls::FailingCalls() {
  const std::string path =
      directory_.Write(kCountsFile, std::string(sizeof(CallCounts), '\0'));
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
  void* const memory = mmap(nullptr, sizeof(CallCounts), PROT_READ | PROT_WRITE,
                            MAP_SHARED, file, 0);
  EXPECT_NE(memory, MAP_FAILED);
  close(file);
  counts_ = static_cast<CallCounts*>(memory);
}

FailingCalls::~FailingCalls() { munmap(counts_, sizeof(CallCounts)); }

void FailingCalls::Count(SubprocessOptions* options) {
  for (std::atomic<uint64_t>& made : counts_->made) made = 0;
  char* const preload = realpath(kPreload, nullptr);
  EXPECT_NE(preload, nullptr) << kPreload << " is missing: add it to the data";
  options->environment["LD_PRELOAD"] = preload == nullptr ? "" : preload;
  std::free(preload);
  options->environment[kCallCountsVariable] = directory_.File(kCountsFile);
  options->environment[kFailingCallVariable] = "";
  // AddressSanitizer wants to be the first library, and is content here.
  const char* const sanitizer = std::getenv("ASAN_OPTIONS");
  options->environment["ASAN_OPTIONS"] = absl::StrCat(
      sanitizer == nullptr ? "" : sanitizer, ":verify_asan_link_order=0");
}

void FailingCalls::Fail(const FailingCall& call, SubprocessOptions* options) {
  FailEach({call}, options);
}

void FailingCalls::FailEach(const std::vector<FailingCall>& calls,
                            SubprocessOptions* options) {
  EXPECT_LE(calls.size(), kMaxFailingCalls);
  Count(options);
  std::string text;
  for (const FailingCall& call : calls) {
    absl::StrAppend(&text, text.empty() ? "" : ",", call.name, ":", call.nth,
                    call.and_later ? "+:" : ":", call.error);
  }
  options->environment[kFailingCallVariable] = text;
}

uint64_t FailingCalls::count(const std::string& name) const {
  for (size_t i = 0; i < kFailingCallCount; ++i) {
    if (name == kFailingCallNames[i]) return counts_->made[i];
  }
  ADD_FAILURE() << name << " is none of kFailingCallNames";
  return 0;
}

}  // namespace support
}  // namespace gearman
