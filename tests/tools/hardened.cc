// Compiles only when the options of bazel/hardening.bzl reach the compiler as
// they are meant. The program itself shows only that some of them did.
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
