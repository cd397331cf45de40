// A program that compiles only when the options of bazel/hardening.bzl reach
// the compiler as they are meant. It does what those options change, for
// hardening_test.py to see: it copies bytes into a frame of many pages.
#include <cstdio>
#include <cstring>

#ifndef __OPTIMIZE__
#error "not optimised: build it with -c opt"
#endif
#ifndef __SSP_STRONG__
#error "no -fstack-protector-strong"
#endif
#if !defined(_FORTIFY_SOURCE) || _FORTIFY_SOURCE < 3
#error "no -D_FORTIFY_SOURCE=3"
#endif
#if !defined(__PIE__) && !defined(__PIC__)
#error "neither -fpie nor -fpic"
#endif
#if defined(__x86_64__) && (!defined(__CET__) || __CET__ != 3)
#error "no -fcf-protection=full"
#endif

namespace {

// noinline: the frame must be this function's.
__attribute__((noinline)) int CopyIntoLargeFrame(const char* text) {
  char copy[1 << 16];
  std::strcpy(copy, text);
  return std::puts(copy);
}

}  // namespace

int main(int /*argc*/, char** argv) {
  return CopyIntoLargeFrame(argv[0]) < 0 ? 1 : 0;
}
