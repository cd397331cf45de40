// A JSON text as a tree of positions. It says where each value is, but does not
// convert the values.
//
// Protobuf converts the values but reports no positions, so errors are located
// here. Strict (RFC 8259): no comments, no trailing commas, no duplicate keys.
// Thread-safe.
#ifndef GEARMAN_SDK_INTERNAL_CONFIG_JSON_TREE_H_
#define GEARMAN_SDK_INTERNAL_CONFIG_JSON_TREE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gearman {
namespace internal {

struct JsonMember;

struct JsonValue {
  enum class Kind : unsigned char { kScalar, kString, kArray, kObject };

  Kind kind = Kind::kScalar;
  // The position at which the value begins, and its exact text (a view of the
  // parsed text).
  size_t offset = 0;
  absl::string_view text;
  std::vector<JsonValue> elements;  // of an array
  std::vector<JsonMember> members;  // of an object

  // The text between the quotes of a string. Escapes are not decoded.
  absl::string_view quoted() const { return text.substr(1, text.size() - 2); }
  // The member with this key, or null.
  const JsonValue* Find(absl::string_view key) const;
};

struct JsonMember {
  absl::string_view key;  // between the quotes; escapes are not decoded
  size_t key_offset = 0;
  JsonValue value;
};

// Returns the tree of `text`, which must outlive the tree. INVALID_ARGUMENT
// "<source>:<line>:<column>: what is wrong, and what would be right".
absl::StatusOr<JsonValue> ParseJson(absl::string_view text,
                                    absl::string_view source);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CONFIG_JSON_TREE_H_
