#include "gearman/tools/gearctl/output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/tools/gearctl/text.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/type_resolver.h"
#include "google/protobuf/util/type_resolver_util.h"

namespace gearman {
namespace gearctl {
namespace {

std::string TextFor(absl::string_view bytes, bool text) {
  return text ? std::string(bytes) : absl::Base64Escape(bytes);
}

// Appends a field of type bytes, as a message has it on the wire.
void AppendBytes(int number, const std::string& content, std::string& bytes) {
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream out(&stream);
  constexpr int kLengthDelimited = 2;
  out.WriteTag(static_cast<uint32_t>(number << 3 | kLengthDelimited));
  out.WriteVarint32(static_cast<uint32_t>(content.size()));
  out.WriteString(content);
}

// A Struct is a list of entries, key (1) and value (2): one that is written
// behind another joins it. (Its map has no order; and its inline code and that
// of Debian's library don't fit together under ThreadSanitizer.)
void AppendField(const std::string& key, const google::protobuf::Value& value,
                 std::string& bytes) {
  std::string entry;
  AppendBytes(1, key, entry);
  AppendBytes(2, value.SerializeAsString(), entry);
  AppendBytes(google::protobuf::Struct::kFieldsFieldNumber, entry, bytes);
}

bool IsNumber(absl::string_view text) {
  double number;
  return absl::SimpleAtod(text, &number);
}

}  // namespace

ExitCode Print(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EPIPE) {
      return kClosedOutput;
    } else if (errno != EINTR) {
      return Report(absl::ErrnoToStatus(errno, "standard output"));
    }
  }
  return kSuccess;
}

void JsonObject::Set(const std::string& key, absl::string_view bytes) {
  const bool text = IsUtf8(bytes);
  google::protobuf::Value value;
  value.set_string_value(TextFor(bytes, text));
  AppendField(text ? key : key + "_base64", value, struct_);
}

void JsonObject::SetNumber(const std::string& key, double number) {
  google::protobuf::Value value;
  value.set_number_value(number);
  AppendField(key, value, struct_);
}

void JsonObject::SetBool(const std::string& key, bool boolean) {
  google::protobuf::Value value;
  value.set_bool_value(boolean);
  AppendField(key, value, struct_);
}

void JsonObject::SetList(const std::string& key,
                         absl::Span<const std::string> items) {
  const bool text = std::all_of(items.begin(), items.end(), IsUtf8);
  google::protobuf::Value value;
  auto& list = *value.mutable_list_value();
  for (const std::string& item : items) {
    list.add_values()->set_string_value(TextFor(item, text));
  }
  AppendField(text ? key : key + "_base64", value, struct_);
}

std::string JsonObject::ToLine() const {
  static google::protobuf::util::TypeResolver* const resolver =
      google::protobuf::util::NewTypeResolverForDescriptorPool(
          "type.googleapis.com",
          google::protobuf::DescriptorPool::generated_pool());
  std::string line;
  const auto status = google::protobuf::util::BinaryToJsonString(
      resolver, "type.googleapis.com/google.protobuf.Struct", struct_, &line);
  // Can't fail: the bytes are Set's own.
  if (!status.ok()) return "{}\n";
  return line + "\n";
}

Table::Table(std::vector<std::string> heading) { AddRow(std::move(heading)); }

void Table::AddRow(std::vector<std::string> row) {
  for (std::string& cell : row) cell = Printable(cell);
  rows_.push_back(std::move(row));
}

std::string Table::ToString() const {
  const size_t columns = rows_[0].size();
  std::vector<int> widths(columns);
  std::vector<bool> numbers(columns, rows_.size() > 1);
  for (size_t i = 0; i < rows_.size(); ++i) {
    for (size_t column = 0; column < columns; ++column) {
      const std::string& cell = rows_[i][column];
      widths[column] = std::max(widths[column], DisplayWidth(cell));
      if (i > 0 && cell != "-" && !IsNumber(cell)) numbers[column] = false;
    }
  }
  std::string text;
  for (const std::vector<std::string>& row : rows_) {
    std::string line;
    for (size_t column = 0; column < columns; ++column) {
      const std::string padding(
          static_cast<size_t>(widths[column] - DisplayWidth(row[column])), ' ');
      absl::StrAppend(&line, column == 0 ? "" : "  ",
                      numbers[column] ? padding : "", row[column],
                      numbers[column] ? "" : padding);
    }
    absl::StrAppend(&text, absl::StripTrailingAsciiWhitespace(line), "\n");
  }
  return text;
}

}  // namespace gearctl
}  // namespace gearman
