"""The repository @gearman_sdk_proto_rules: where proto_library and cc_proto_library come from.

No single label has them everywhere. A Bazel that knows modules takes them from Protobuf itself: rules_cc of such a Bazel
has only a cc_proto_library that fails, and Bazel 9 has neither rule of its own. Debian's Bazel 4.2.3 and Protobuf 3.21
have them in rules_proto and rules_cc, and nothing in Protobuf.
"""

_FROM_RULES = """
load("@rules_cc//cc:defs.bzl", _cc_proto_library = "cc_proto_library")
load("@rules_proto//proto:defs.bzl", _proto_library = "proto_library")
"""

_FROM_PROTOBUF = """
load("@com_google_protobuf//bazel:cc_proto_library.bzl", _cc_proto_library = "cc_proto_library")
load("@com_google_protobuf//bazel:proto_library.bzl", _proto_library = "proto_library")
"""

_EXPORTS = """
cc_proto_library = _cc_proto_library
proto_library = _proto_library
"""

def _proto_rules_repository_impl(repository_ctx):
    repository_ctx.file("WORKSPACE", "")
    repository_ctx.file("BUILD.bazel", "")
    loads = _FROM_PROTOBUF if repository_ctx.attr.from_protobuf else _FROM_RULES
    repository_ctx.file("defs.bzl", loads + _EXPORTS)

proto_rules_repository = repository_rule(
    implementation = _proto_rules_repository_impl,
    attrs = {"from_protobuf": attr.bool(doc = "from Protobuf 27 or later, else from rules_proto and rules_cc")},
)
