// Opens pipes: run by failing_calls_test. Prints a line for each, "ok" or what
// failed, then starts itself once more, where all must succeed.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

int main(int argc, char** argv) {
  for (int i = 0; i < 3; ++i) {
    int ends[2];
    const bool ok = pipe2(ends, O_CLOEXEC) == 0;
    std::puts(ok ? "ok" : std::strerror(errno));
  }
  std::fflush(stdout);
  if (argc > 1) return 0;
  char again[] = "again";
  char* const arguments[] = {argv[0], again, nullptr};
  execv(argv[0], arguments);
  return 1;
}
