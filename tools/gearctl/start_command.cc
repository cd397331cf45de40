#include "gearman/tools/gearctl/start_command.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace gearman {
namespace gearctl {
namespace {

// Bytes of the child's stack. Execvpe puts a path on it, and also the arguments
// for a script without "#!".
constexpr size_t kStack = 64 << 10;

// Everything that the child needs. It is made before the clone: until its exec
// the child runs in the parent's memory, where another thread may hold any
// lock.
struct Start {
  char* const* argv;
  char* const* environment;
  int in;
  int out;
  int guard;
  pid_t parent;
  int* error;  // set by the child; shared with the parent
};

// ThreadSanitizer takes the child's work in the parent's memory for calls of
// the parent's thread that never return. With it the child gets a copy.
#ifdef __SANITIZE_THREAD__
constexpr int kMemory = 0;
#else
constexpr int kMemory = CLONE_VM;
#endif

// A number that parent and child share, whether or not they share all memory.
class SharedNumber {
 public:
  SharedNumber()
      : place_(mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {}
  ~SharedNumber() {
    if (place_ != MAP_FAILED) munmap(place_, sizeof(int));
  }
  SharedNumber(const SharedNumber&) = delete;
  SharedNumber& operator=(const SharedNumber&) = delete;
  // Null: there is no memory. The number begins as 0.
  int* get() const {
    return place_ == MAP_FAILED ? nullptr : static_cast<int*>(place_);
  }

 private:
  void* const place_;
};

// Signals that this process catches are not caught in the child, because their
// handlers would run in the parent's memory. Ignored signals stay ignored,
// except SIGPIPE, which only gearctl ignores.
ABSL_ATTRIBUTE_NO_SANITIZE_ADDRESS ABSL_ATTRIBUTE_NO_SANITIZE_THREAD void
ResetSignals() {
  struct sigaction action;
  struct sigaction standard;
  for (size_t i = 0; i < sizeof standard; ++i) {
    reinterpret_cast<volatile char*>(&standard)[i] = 0;
  }
  for (int signal = 1; signal < NSIG; ++signal) {
    if (sigaction(signal, nullptr, &action) != 0) continue;
    const bool stays = action.sa_handler == SIG_DFL ||
                       (action.sa_handler == SIG_IGN && signal != SIGPIPE);
    if (!stays) sigaction(signal, &standard, nullptr);
  }
}

// If the guard is gone, PR_SET_PDEATHSIG alone protects.
ABSL_ATTRIBUTE_NO_SANITIZE_ADDRESS ABSL_ATTRIBUTE_NO_SANITIZE_THREAD void Tell(
    int guard, pid_t entry) {
  if (guard < 0) return;
  [[maybe_unused]] const ssize_t size = write(guard, &entry, sizeof entry);
}

// Runs in the child, and makes system calls only.
ABSL_ATTRIBUTE_NO_SANITIZE_ADDRESS ABSL_ATTRIBUTE_NO_SANITIZE_THREAD int Exec(
    void* argument) {
  auto* const start = static_cast<Start*>(argument);
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have ended before the last call.
  if (getppid() != start->parent) _exit(127);
  Tell(start->guard, getpid());
  ResetSignals();
  if (dup2(start->in, STDIN_FILENO) >= 0 &&
      dup2(start->out, STDOUT_FILENO) >= 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    execvpe(start->argv[0], start->argv, start->environment);
  }
  *start->error = errno;
  _exit(127);
}

std::vector<char*> Pointers(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) {
    pointers.push_back(const_cast<char*>(word.c_str()));
  }
  return pointers;
}

// Returns `variables`, and those of this process that they do not replace. A
// shell would take the later one of two variables of one name, and other
// programs would take the earlier one.
std::vector<char*> Environment(const std::vector<std::string>& variables) {
  std::vector<char*> environment = Pointers(variables);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const absl::string_view text = *entry;
    const std::string begin = absl::StrCat(text.substr(0, text.find('=')), "=");
    const bool replaced = std::any_of(variables.begin(), variables.end(),
                                      [&begin](const std::string& other) {
                                        return absl::StartsWith(other, begin);
                                      });
    if (!replaced) environment.push_back(*entry);
  }
  return environment;
}

}  // namespace

int StartCommand(const ChildCommand& command, int in, int out, int guard,
                 pid_t* pid) {
  std::vector<char*> argv = Pointers(command.argv);
  argv.push_back(nullptr);
  std::vector<char*> environment = Environment(command.environment);
  environment.push_back(nullptr);
  const SharedNumber shared;
  if (shared.get() == nullptr) return ENOMEM;
  Start start{argv.data(), environment.data(), in,          out,
              guard,       getpid(),           shared.get()};

  const size_t stack_size = kStack + 2 * sizeof(char*) * argv.size();
  const std::unique_ptr<char[]> stack(new (std::nothrow) char[stack_size]);
  if (stack == nullptr) return ENOMEM;
  // A stack grows downwards and begins at a multiple of 16.
  char* top = stack.get() + stack_size;
  top -= reinterpret_cast<uintptr_t>(top) % 16;

  // No signal handler of this process may run in the child.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  // CLONE_VM copies no memory, so the time does not grow with the payloads.
  // This thread waits until the child has left its memory.
  const pid_t child = clone(Exec, top, kMemory | CLONE_VFORK | SIGCHLD, &start);
  const int error = child < 0 ? errno : *shared.get();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (child >= 0 && error != 0) {
    waitpid(child, nullptr, 0);
    Tell(guard, -child);
  }
  *pid = child;
  return error;
}

}  // namespace gearctl
}  // namespace gearman
