// The first message of a compiler that is told to read this SDK as a C++ older
// than 17. It stands in place of pages of errors.
//
// Each header that a program can reach before any other of this SDK includes
// this one (tools/check language), so that it does not matter which headers a
// program includes, nor in which order.
#ifndef GEARMAN_BASE_CPP17_H_
#define GEARMAN_BASE_CPP17_H_

#if __cplusplus < 201703L
#error "gearman_sdk needs C++17: compile with -std=c++17 or later"
#endif

#endif  // GEARMAN_BASE_CPP17_H_
