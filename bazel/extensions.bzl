"""What MODULE.bazel takes from this project. Nothing that Debian's Bazel reads loads this file: it has no modules."""

load(":proto_rules.bzl", "proto_rules_repository")
load(":repositories.bzl", "debian_libgearman")

def _proto_rules_impl(_module_ctx):
    proto_rules_repository(name = "gearman_sdk_proto_rules", from_protobuf = True)

proto_rules = module_extension(implementation = _proto_rules_impl)

def _debian_impl(_module_ctx):
    debian_libgearman(name = "libgearman")

debian = module_extension(implementation = _debian_impl)
