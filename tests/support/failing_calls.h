// FailingCalls: runs of a program in which chosen system calls fail, as they do
// where descriptors, memory or processes have run out, where a filter forbids
// them, or where the kernel is too old for them.
//
//   support::FailingCalls calls;
//   support::SubprocessOptions options = ...;
//   calls.Count(&options);                          // a run where none fails
//   ...
//   for (int nth = 1; nth <= calls.count("eventfd"); ++nth) {
//     calls.Fail({"eventfd", nth, EMFILE}, &options);
//     ...
//   }
//
// It is done by a library that the program preloads: the test needs the data
// "//tests/support:failing_calls_preload.so". Not thread-safe.
#ifndef GEARMAN_TESTS_SUPPORT_FAILING_CALLS_H_
#define GEARMAN_TESTS_SUPPORT_FAILING_CALLS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "gearman/tests/support/failing_calls_preload.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/tests/support/test_directory.h"

namespace gearman {
namespace support {

struct FailingCall {
  std::string name;        // one of kFailingCallNames
  uint64_t nth = 0;        // from 1
  int error = 0;           // an errno
  bool and_later = false;  // each later one, too
};

// How such calls fail: EMFILE, ENFILE, ENOMEM, ENOSYS, EPERM, EAGAIN.
const std::vector<int>& CallErrors();

class FailingCalls {
 public:
  FailingCalls();
  ~FailingCalls();
  FailingCalls(const FailingCalls&) = delete;
  FailingCalls& operator=(const FailingCalls&) = delete;

  // Makes the program that is started with `options` count its calls, from
  // zero.
  void Count(SubprocessOptions* options);
  // Like Count; the program's call `call` also fails.
  void Fail(const FailingCall& call, SubprocessOptions* options);
  // Like Fail, for several calls: at most kMaxFailingCalls.
  void FailEach(const std::vector<FailingCall>& calls,
                SubprocessOptions* options);
  // How many calls the last program has made so far, failed ones included.
  uint64_t count(const std::string& name) const;

 private:
  const TestDirectory directory_;
  CallCounts* counts_ = nullptr;
};

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_FAILING_CALLS_H_
