#include "gearman/sdk/internal/config/json_tree.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gearman/sdk/internal/config/places.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

// Deeper than any config. The limit keeps a hostile file from using up the
// stack.
constexpr int kMaxDepth = 64;

// A recursive descent parser. Each function that fails sets error_ and returns
// false.
class JsonParser {
 public:
  JsonParser(absl::string_view text, absl::string_view source)
      : text_(text), source_(source) {}

  absl::StatusOr<JsonValue> Parse() {
    JsonValue value;
    if (!Value(0, &value)) return error_;
    SkipSpace();
    if (!AtEnd()) {
      Fail(at_, "text after the end of the value; one object is enough");
      return error_;
    }
    return value;
  }

 private:
  bool AtEnd() const { return at_ >= text_.size(); }
  char Peek() const { return AtEnd() ? '\0' : text_[at_]; }

  void SkipSpace() {
    while (!AtEnd() && absl::StrContains(" \t\r\n", text_[at_])) ++at_;
  }

  bool Consume(char c) {
    SkipSpace();
    if (AtEnd() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool Fail(size_t offset, absl::string_view text) {
    const TextPosition position = LineIndex(text_).At(offset);
    error_ = absl::InvalidArgumentError(absl::StrCat(
        source_, ":", position.line, ":", position.column, ": ", text));
    return false;
  }

  // Returns "'x'" or "the end of the text".
  std::string Found() const {
    if (AtEnd()) return "the end of the text";
    const absl::string_view found = text_.substr(at_, 1);
    return absl::StrCat(
        "'",
        absl::ascii_isprint(found[0]) ? std::string(found) : SafeText(found),
        "'");
  }

  // At the end of the text, says where the value began that is not closed.
  std::string Unclosed(absl::string_view what, size_t begin) const {
    if (!AtEnd()) return "";
    const TextPosition position = LineIndex(text_).At(begin);
    return absl::StrCat("; the ", what, " that begins at ", position.line, ":",
                        position.column, " is not closed");
  }

  bool Value(int depth, JsonValue* value) {
    SkipSpace();
    value->offset = at_;
    if (depth > kMaxDepth) return Fail(at_, "nested too deeply");
    bool good = false;
    if (Peek() == '{') {
      good = Object(depth, value);
    } else if (Peek() == '[') {
      good = Array(depth, value);
    } else if (Peek() == '"') {
      value->kind = JsonValue::Kind::kString;
      good = String();
    } else {
      good = Scalar();
    }
    value->text = text_.substr(value->offset, at_ - value->offset);
    return good;
  }

  bool Object(int depth, JsonValue* object) {
    object->kind = JsonValue::Kind::kObject;
    ++at_;
    if (Consume('}')) return true;
    absl::flat_hash_set<absl::string_view> keys;
    do {
      SkipSpace();
      JsonMember member;
      member.key_offset = at_;
      if (Peek() != '"') {
        return Fail(at_,
                    absl::StrCat("expected a name in double quotes, found ",
                                 Found(), Unclosed("object", object->offset)));
      }
      if (!String()) return false;
      member.key =
          text_.substr(member.key_offset + 1, at_ - member.key_offset - 2);
      if (!keys.insert(member.key).second) {
        return Fail(member.key_offset,
                    absl::StrCat("\"", member.key, "\" is given twice"));
      }
      if (!Consume(':')) {
        return Fail(at_, absl::StrCat("expected ':' after \"", member.key,
                                      "\", found ", Found()));
      }
      if (!Value(depth + 1, &member.value)) return false;
      object->members.push_back(std::move(member));
    } while (Consume(','));
    if (Consume('}')) return true;
    return Fail(at_, absl::StrCat("expected ',' or '}', found ", Found(),
                                  Unclosed("object", object->offset)));
  }

  bool Array(int depth, JsonValue* array) {
    array->kind = JsonValue::Kind::kArray;
    ++at_;
    if (Consume(']')) return true;
    do {
      JsonValue element;
      if (!Value(depth + 1, &element)) return false;
      array->elements.push_back(std::move(element));
    } while (Consume(','));
    if (Consume(']')) return true;
    return Fail(at_, absl::StrCat("expected ',' or ']', found ", Found(),
                                  Unclosed("list", array->offset)));
  }

  // Protobuf handles the escapes.
  bool String() {
    const size_t begin = at_++;
    while (!AtEnd() && text_[at_] != '"') {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) {
        return Fail(at_, "a control character in a text; escape it");
      }
      at_ += text_[at_] == '\\' ? 2 : 1;
    }
    if (AtEnd()) {
      at_ = text_.size();
      return Fail(begin, "this text has no closing double quote");
    }
    ++at_;
    return true;
  }

  // Parses a number, true, false or null.
  bool Scalar() {
    const size_t begin = at_;
    while (!AtEnd() && (absl::ascii_isalnum(text_[at_]) ||
                        absl::StrContains("+-._", text_[at_]))) {
      ++at_;
    }
    const absl::string_view word = text_.substr(begin, at_ - begin);
    if (word.empty()) {
      return Fail(begin, absl::StrCat("expected a value, found ", Found()));
    }
    double value = 0;
    const bool number = (absl::ascii_isdigit(word[0]) || word[0] == '-') &&
                        absl::SimpleAtod(word, &value);
    if (number || word == "true" || word == "false" || word == "null") {
      return true;
    }
    return Fail(begin, absl::StrCat("\"", word,
                                    "\" is no value; put texts and names in "
                                    "double quotes"));
  }

  const absl::string_view text_;
  const absl::string_view source_;
  size_t at_ = 0;
  absl::Status error_;
};

}  // namespace

const JsonValue* JsonValue::Find(absl::string_view key) const {
  for (const JsonMember& member : members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

absl::StatusOr<JsonValue> ParseJson(absl::string_view text,
                                    absl::string_view source) {
  return JsonParser(text, source).Parse();
}

}  // namespace internal
}  // namespace gearman
