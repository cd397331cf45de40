// Starts threads without exceptions. std::thread throws if the system refuses a
// thread; the SDK must not.
#ifndef GEARMAN_TRANSPORTS_START_THREAD_H_
#define GEARMAN_TRANSPORTS_START_THREAD_H_

#include <exception>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/base/cpp17.h"

namespace gearman {

// Assigns the thread that `make` returns to `*thread`, which must not be a
// running thread. If the system refuses the thread, returns RESOURCE_EXHAUSTED
// and leaves `*thread` as it is. `purpose` names the thread in the error ("a
// client's background thread").
template <typename Make>
absl::Status MakeThread(absl::string_view purpose, Make make,
                        std::thread* thread) {
  try {
    *thread = make();
  } catch (const std::exception& error) {
    // std::system_error means no thread, std::bad_alloc no memory for its
    // function.
    return absl::ResourceExhaustedError(
        absl::StrCat(purpose, " can't be started: ", error.what()));
  }
  return absl::OkStatus();
}

// Starts a thread that runs `work`. Otherwise like MakeThread.
template <typename Work>
absl::Status StartThread(absl::string_view purpose, Work work,
                         std::thread* thread) {
  return MakeThread(
      purpose, [&work] { return std::thread(std::move(work)); }, thread);
}

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_START_THREAD_H_
