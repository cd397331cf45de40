"""Fuzz targets: each is a program for libFuzzer and a test without it."""

load("@rules_cc//cc:defs.bzl", "cc_binary")
load("//bazel:cc.bzl", "gearman_cc_library", "gearman_cc_test")

def gearman_fuzz_target(name, srcs, deps):
    """The program NAME (only with --config=fuzz) and the test NAME_replay_test.

    Args:
      name: of the program.
      srcs: the file that defines the functions of fuzz_target.h.
      deps: of that file, beside fuzz_target.
    """
    gearman_cc_library(
        name = name + "_target",
        srcs = srcs,
        deps = deps + [":fuzz_target"],
        alwayslink = True,
    )
    cc_binary(
        name = name,
        testonly = True,
        tags = ["manual"],
        deps = [":" + name + "_target"],
    )
    gearman_cc_test(
        name = name + "_replay_test",
        size = "medium",
        srcs = [],
        deps = [
            ":" + name + "_target",
            ":replay",
        ],
    )
