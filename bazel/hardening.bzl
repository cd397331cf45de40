"""Options that make a mistake in memory harder to use, for optimised builds (-c opt) of this workspace's code.

Other modes have none of them: _FORTIFY_SOURCE needs optimisation, and sanitizers see the same mistakes better.
tests/tools/hardening_test.py reads what became of them in gearctl. Code that protoc generates takes no options from
here: it has Bazel's own, -fstack-protector and -D_FORTIFY_SOURCE=1.
"""

_COMPILE = [
    # A canary in each function that has an array or gives a local variable's address away.
    "-fstack-protector-strong",
    # A large frame can't jump over the guard page below the stack.
    "-fstack-clash-protection",
    # memcpy, read and the like know the size of what they write to. Bazel's own toolchain says 1.
    "-U_FORTIFY_SOURCE",
    "-D_FORTIFY_SOURCE=3",
]

# Indirect jumps end at marked places only, on processors that look at the marks.
_COMPILE_X86_64 = ["-fcf-protection=full"]

_LINK = [
    "-pie",
    "-Wl,-z,relro,-z,now",
    "-Wl,-z,noexecstack",
]

def _when(setting, options):
    # As text, as Bazel 4 takes no other key; absolute, as the caller of the macro may be another workspace.
    return select({
        str(Label("//bazel:" + setting)): options,
        "//conditions:default": [],
    })

def hardening_copts():
    """For what is compiled."""
    return _when("optimised", _COMPILE) + _when("optimised_x86_64", _COMPILE_X86_64)

def hardening_linkopts():
    """For a program. GCC and Clang make position-independent objects by default on Debian; else it does not link."""
    return _when("optimised", _LINK)
