// Starts threads, which the system may refuse: std::thread then throws, and the
// SDK does not.
#ifndef GEARMAN_TRANSPORTS_START_THREAD_H_
#define GEARMAN_TRANSPORTS_START_THREAD_H_

#include <exception>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace gearman {

// Makes `*thread`, which is none yet, what `make` returns: a thread.
// RESOURCE_EXHAUSTED, and it is none: the system refuses it; `purpose` says
// whose it was to be ("a client's background thread").
template <typename Make>
absl::Status MakeThread(absl::string_view purpose, Make make,
                        std::thread* thread) {
  try {
    *thread = make();
  } catch (const std::exception& error) {
    // std::system_error: no thread; std::bad_alloc: no memory for its function.
    return absl::ResourceExhaustedError(
        absl::StrCat(purpose, " can't be started: ", error.what()));
  }
  return absl::OkStatus();
}

// The same: one that runs `work`.
template <typename Work>
absl::Status StartThread(absl::string_view purpose, Work work,
                         std::thread* thread) {
  return MakeThread(
      purpose, [&work] { return std::thread(std::move(work)); }, thread);
}

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_START_THREAD_H_
