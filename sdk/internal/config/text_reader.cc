#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/internal/config/places.h"
#include "gearman/sdk/internal/config/reader.h"
#include "gearman/sdk/internal/config/schema.h"
#include "gearman/sdk/internal/config/seen_fields.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"

namespace gearman {
namespace internal {
namespace {

using google::protobuf::Any;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;
using google::protobuf::io::ArrayInputStream;
using google::protobuf::io::ErrorCollector;
using google::protobuf::io::Tokenizer;

// Deeper than any config. The limit keeps a hostile file from using up the
// stack.
constexpr size_t kMaxDepth = 64;

// Keeps the first error. The method's name depends on Protobuf's version, so
// there are both, without override.
class FirstError : public ErrorCollector {
 public:
  // NOLINTNEXTLINE(modernize-use-override)
  void AddError(int line, int column, const std::string& message) {
    Keep(line, column, message);
  }
  void RecordError(int line, int column, absl::string_view message) {
    Keep(line, column, message);
  }

  bool has_error() const { return position_.has_value(); }
  TextPosition position() const { return *position_; }
  const std::string& message() const { return message_; }

 private:
  void Keep(int line, int column, absl::string_view message) {
    if (position_.has_value()) return;
    position_ = TextPosition{line + 1, column + 1};
    message_ = std::string(message);
  }

  std::optional<TextPosition> position_;
  std::string message_;
};

bool operator<(const TextPosition& a, const TextPosition& b) {
  return std::tie(a.line, a.column) < std::tie(b.line, b.column);
}
bool operator==(const TextPosition& a, const TextPosition& b) {
  return std::tie(a.line, a.column) == std::tie(b.line, b.column);
}

// From one token up to, but not including, another.
struct Range {
  TextPosition begin;
  TextPosition end;
};

// Walks the text along its message types. It notes where each value is and
// stops at the first wrong name. If the text is not in text format, it just
// ends: TextFormat will report what is wrong there.
class Outline {
 public:
  Outline(absl::string_view text, const ReadOptions& options, Places* places)
      : options_(options),
        places_(places),
        input_(text.data(), static_cast<int>(text.size())),
        tokenizer_(&input_, &ignored_errors_) {
    tokenizer_.set_comment_style(Tokenizer::SH_COMMENT_STYLE);
    tokenizer_.set_require_space_after_number(false);
    tokenizer_.set_allow_multiline_strings(true);
  }

  // Walks to the end, or to the first token at or after `limit`.
  void Walk(const Descriptor* root,
            std::optional<TextPosition> limit = std::nullopt) {
    limit_ = limit;
    Next();
    open_blocks_.push_back({root, "", Here()});
    Fields(root, "", "");
  }

  // The error for the wrong name; OK if there is none.
  const absl::Status& error() const { return error_; }

  // The configs of plugins that are not linked.
  const std::vector<Range>& skipped() const { return skipped_; }

  // The last field that was begun: its path, and the place and text of its
  // value.
  const std::string& path() const { return path_; }
  const FieldDescriptor* field() const { return field_; }
  TextPosition value_position() const { return value_position_; }
  // The position after its sign.
  TextPosition number_position() const { return number_position_; }
  const std::string& value() const { return value_; }

 private:
  bool Is(absl::string_view symbol) {
    return !AtEnd() && tokenizer_.current().text == symbol;
  }
  bool AtEnd() { return tokenizer_.current().type == Tokenizer::TYPE_END; }
  TextPosition Here() {
    return {tokenizer_.current().line + 1, tokenizer_.current().column + 1};
  }
  // Returns false at the limit and at the end, where current() stays.
  bool Next() {
    if (past_limit_) return false;
    const bool more = tokenizer_.Next();
    past_limit_ = limit_.has_value() && !(Here() < *limit_);
    return more && !past_limit_;
  }
  bool Consume(absl::string_view symbol) {
    if (past_limit_ || !Is(symbol)) return false;
    Next();
    return true;
  }

  // A block whose end has not been read.
  struct OpenBlock {
    const Descriptor* type;  // null: unknown
    std::string path;
    TextPosition begin;
  };

  // Fails at the end of the text, because the innermost block is not closed.
  bool FailUnclosed(absl::string_view close) {
    // The error is an unclosed text in quotes, which comes first.
    if (ignored_errors_.has_error()) return false;
    const OpenBlock& block = open_blocks_.back();
    return Fail(
        block.begin, block.path,
        absl::StrCat("this block is not closed: the text ends at ", Here().line,
                     ":", Here().column, " without its \"", close, "\""));
  }

  // Fails at a closing bracket that is not the expected one.
  bool FailWrongClose(absl::string_view close) {
    const std::string found =
        absl::StrCat("\"", tokenizer_.current().text, "\"");
    const OpenBlock& block = open_blocks_.back();
    if (close.empty()) {
      return Fail(Here(), "",
                  absl::StrCat(found,
                               " closes nothing: every block before it is "
                               "closed"));
    }
    return Fail(Here(), block.path,
                absl::StrCat(found, " can't close the block that begins at ",
                             block.begin.line, ":", block.begin.column,
                             ": expected \"", close, "\""));
  }

  // Returns a hint that a "}" is probably missing, because a block around has a
  // field of this name. "": there is no such block.
  std::string MissingClose(const std::string& name) const {
    for (size_t around = 1; around < open_blocks_.size(); ++around) {
      const size_t inner = open_blocks_.size() - around;
      const Descriptor* const outer = open_blocks_[inner - 1].type;
      if (outer == nullptr || outer->FindFieldByName(name) == nullptr) continue;
      const TextPosition begin = open_blocks_[inner].begin;
      return absl::StrCat("; \"", name,
                          "\" is known outside of this block: is a closing "
                          "bracket missing for the one that begins at ",
                          begin.line, ":", begin.column, "?");
    }
    return "";
  }

  bool Fail(TextPosition position, absl::string_view path,
            absl::string_view text) {
    error_ = ErrorAt(
        absl::StrCat(options_.source, ":", position.line, ":", position.column),
        path, text);
    return false;
  }

  // Reads the fields of one block, after its opening bracket. False: stop.
  bool Fields(const Descriptor* type, const std::string& path,
              absl::string_view close) {
    SeenFields seen;
    while (!past_limit_) {
      if (Consume(",") || Consume(";")) continue;
      if (AtEnd()) return close.empty() || FailUnclosed(close);
      if (!close.empty() && Is(close)) {
        Next();
        return true;
      }
      if (Is("}") || Is(">")) return FailWrongClose(close);
      if (Is("[")) {
        if (!AnyContents(type, path)) return false;
        continue;
      }
      if (tokenizer_.current().type != Tokenizer::TYPE_IDENTIFIER) return false;
      if (!OneField(type, path, &seen)) return false;
    }
    return false;
  }

  // Reads the content of an Any: "[type.googleapis.com/x.Y] { ... }".
  bool AnyContents(const Descriptor* type, const std::string& path) {
    const TextPosition begin = Here();
    std::string url;
    while (Next() && !Is("]")) url += tokenizer_.current().text;
    if (!Consume("]")) return false;
    const Descriptor* const contents = LinkedType(url);
    const bool unlinked = type == Any::descriptor() && contents == nullptr;
    if (unlinked && !options_.skip_unlinked_types) {
      return Fail(begin, path, UnknownType(url, options_.known_types));
    }
    Consume(":");
    if (!Block(contents, path)) return false;
    if (unlinked) skipped_.push_back({begin, Here()});
    return true;
  }

  bool OneField(const Descriptor* type, const std::string& block,
                SeenFields* seen) {
    const std::string name = tokenizer_.current().text;
    const TextPosition begin = Here();
    const FieldDescriptor* field = nullptr;
    std::string path = ChildPath(block, name);
    if (type != nullptr) {
      field = type->FindFieldByName(name);
      if (field == nullptr) {
        return Fail(begin, block,
                    UnknownField(type, name) + MissingClose(name));
      }
      const std::string wrong = seen->Add(field);
      if (!wrong.empty()) return Fail(begin, block, wrong);
    }
    const bool repeated = field != nullptr && field->is_repeated();
    size_t index = repeated ? seen->index(field) : 0;
    const std::string first_path = repeated ? ElementPath(path, index) : path;
    places_->Add(first_path, begin);
    path_ = first_path;
    field_ = field;
    Next();
    Consume(":");
    // For a plugin that is not linked, it is unknown which fields are lists.
    const bool may_be_list = repeated || field == nullptr;
    if (!may_be_list || !Is("[")) return Value(field, first_path);
    // "name: [a, b]" continues the numbering of earlier mentions.
    Consume("[");
    bool first = true;
    while (!Consume("]")) {
      if (Consume(",")) continue;
      if (AtEnd() || Is("]") || Is(",")) return false;

      if (!first && field != nullptr) seen->Add(field);
      first = false;
      if (!Value(field, ElementPath(path, seen->index(field)))) return false;
    }
    return !past_limit_;
  }

  // Reads a block or a scalar.
  bool Value(const FieldDescriptor* field, const std::string& path) {
    const Descriptor* type =
        field != nullptr &&
                field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE
            ? field->message_type()
            : nullptr;
    value_position_ = Here();
    number_position_ = value_position_;
    value_ = tokenizer_.current().text;
    path_ = path;
    field_ = field;
    if (Is("{") || Is("<")) return Block(type, path);
    places_->Add(path, value_position_);
    if (Is("-")) {
      // The position after the sign is noted even if the text is wrong from the
      // sign on, because a sign alone is no value.
      tokenizer_.Next();
      number_position_ = Here();
      value_ += tokenizer_.current().text;
      if (past_limit_) return false;
      past_limit_ = limit_.has_value() && !(Here() < *limit_);
    }
    // Adjacent texts are one text.
    bool text = false;
    do {
      text = tokenizer_.current().type == Tokenizer::TYPE_STRING;
      Next();
    } while (text && !past_limit_ &&
             tokenizer_.current().type == Tokenizer::TYPE_STRING);
    return !past_limit_;
  }

  bool Block(const Descriptor* type, const std::string& path) {
    if (open_blocks_.size() > kMaxDepth) return false;
    open_blocks_.push_back({type, path, Here()});
    bool ended = false;
    if (Consume("{")) {
      ended = Fields(type, path, "}");
    } else if (Consume("<")) {
      ended = Fields(type, path, ">");
    }
    open_blocks_.pop_back();
    return ended;
  }

  const ReadOptions& options_;
  Places* const places_;
  FirstError ignored_errors_;
  ArrayInputStream input_;
  Tokenizer tokenizer_;
  std::optional<TextPosition> limit_;
  bool past_limit_ = false;
  std::vector<OpenBlock> open_blocks_;  // the whole text is the first
  absl::Status error_;
  std::vector<Range> skipped_;
  std::string path_;
  const FieldDescriptor* field_ = nullptr;
  TextPosition value_position_;
  TextPosition number_position_;
  std::string value_;
};

// Returns the offset of a tokenizer's position. In its columns a tab goes to
// the next multiple of eight.
size_t OffsetOf(TextPosition position, absl::string_view text,
                const std::vector<size_t>& line_starts) {
  constexpr int kTab = 8;
  const auto line = static_cast<size_t>(position.line - 1);
  if (line >= line_starts.size()) return text.size();
  size_t at = line_starts[line];
  for (int column = 1; column < position.column && at < text.size(); ++at) {
    column += text[at] == '\t' ? kTab - (column - 1) % kTab : 1;
  }
  return at;
}

// Returns `text` with spaces in these ranges, so that all positions stay the
// same.
std::string Blanked(absl::string_view text, const std::vector<Range>& ranges) {
  std::vector<size_t> line_starts = {0};
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\n') line_starts.push_back(at + 1);
  }
  std::string blanked(text);
  for (const Range& range : ranges) {
    const size_t end = OffsetOf(range.end, text, line_starts);
    for (size_t at = OffsetOf(range.begin, text, line_starts); at < end; ++at) {
      if (blanked[at] != '\n' && blanked[at] != '\t') blanked[at] = ' ';
    }
  }
  return blanked;
}

// Explains TextFormat's error, in our words if the value is known.
absl::Status Explain(absl::string_view text, const ReadOptions& options,
                     const Descriptor* root, const FirstError& found) {
  Places ignored;
  Outline outline(text, options, &ignored);
  outline.Walk(root, found.position());
  const FieldDescriptor* const field = outline.field();
  TextPosition position = found.position();
  std::string what = found.message();
  const bool at_value = position == outline.value_position() ||
                        position == outline.number_position();
  // Protobuf shows the token that it has found. Here there is none.
  if (absl::EndsWith(what, "got: ")) what += "the end of the text";
  // Protobuf notices a wrong word only after it.
  const bool behind_value = outline.value_position() < position &&
                            (absl::StrContains(what, "numeration value") ||
                             absl::StrContains(what, "boolean field"));
  if (field != nullptr && (at_value || behind_value)) {
    position = outline.value_position();
    what = absl::StrCat(
        outline.value().empty() ? "the text ends here"
                                : outline.value() + " is not valid",
        ": expected ",
        options.expected ? options.expected(outline.path(), field)
                         : Expected(field));
  }
  return ErrorAt(
      absl::StrCat(options.source, ":", position.line, ":", position.column),
      field != nullptr ? outline.path() : "", what);
}

}  // namespace

absl::Status ReadText(absl::string_view text, const ReadOptions& options,
                      Message* message, Places* places) {
  *places = Places(options.source);
  message->Clear();
  Outline outline(text, options, places);
  outline.Walk(message->GetDescriptor());
  if (!outline.error().ok()) return outline.error();
  FirstError found;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&found);
  parser.SetRecursionLimit(static_cast<int>(kMaxDepth));
  if (parser.ParseFromString(Blanked(text, outline.skipped()), message)) {
    return absl::OkStatus();
  }
  message->Clear();
  if (!found.has_error()) {
    return ErrorAt(options.source, "", "this is no text format");
  }
  return Explain(text, options, message->GetDescriptor(), found);
}

}  // namespace internal
}  // namespace gearman
