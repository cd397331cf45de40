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
#include "gearman/text/safe_text.h"
#include "gearman/tools/gearctl/text.h"
#include "gearman/tools/gearctl/write_all.h"
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

// Appends a field of type bytes in the wire format of messages.
void AppendBytes(int number, const std::string& content, std::string& bytes) {
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream out(&stream);
  constexpr int kLengthDelimited = 2;
  out.WriteTag(static_cast<uint32_t>(number << 3 | kLengthDelimited));
  out.WriteVarint32(static_cast<uint32_t>(content.size()));
  out.WriteString(content);
}

// A Struct is a list of entries, each with a key (1) and a value (2). An entry
// that is appended to the bytes joins the list. A map would have no order, and
// the map's inline code does not fit Debian's library under ThreadSanitizer.
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

std::string Cell(absl::string_view content) {
  std::string cell = SafeText(content);
  if (DisplayWidth(cell) <= Table::kMaxCellColumns) return cell;
  constexpr absl::string_view kEllipsis = "\xe2\x80\xa6";
  return absl::StrCat(CutToWidth(cell, Table::kMaxCellColumns - 1), kEllipsis);
}

}  // namespace

ExitCode Print(absl::string_view bytes) {
  const int error = WriteAll(STDOUT_FILENO, bytes);
  if (error == 0) return kSuccess;
  if (error == EPIPE) return kClosedOutput;
  return Report(absl::ErrnoToStatus(error, "standard output"));
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
  // The conversion can't fail, because Set made the bytes.
  if (!status.ok()) return "{}\n";
  return line + "\n";
}

void Output::Write(absl::string_view bytes) {
  constexpr size_t kPiece = 65536;
  if (code_ != kSuccess) return;
  buffer_.append(bytes.data(), bytes.size());
  if (buffer_.size() >= kPiece) Flush();
}

ExitCode Output::Flush() {
  if (code_ == kSuccess) code_ = Print(buffer_);
  buffer_.clear();
  return code_;
}

Table::Table(std::vector<std::string> heading, Writer writer)
    : writer_(std::move(writer)),
      widths_(heading.size()),
      numbers_(heading.size(), true) {
  for (size_t column = 0; column < heading.size(); ++column) {
    widths_[column] = DisplayWidth(heading[column]);
  }
  waiting_.push_back(std::move(heading));
}

Table::Table(std::vector<std::string> heading)
    : Table(std::move(heading), [this](absl::string_view text) {
        text_.append(text.data(), text.size());
      }) {}

std::string Table::ToString() {
  Finish();
  return std::move(text_);
}

void Table::AddRow(std::vector<std::string> row) {
  for (std::string& cell : row) cell = Cell(cell);
  Measure(row);
  if (measured_) return WriteRow(row);
  waiting_.push_back(std::move(row));
  if (waiting_.size() > kMeasuredRows) WriteWaiting();
}

void Table::Finish() {
  if (!measured_) WriteWaiting();
}

void Table::Measure(const std::vector<std::string>& row) {
  for (size_t column = 0; column < row.size(); ++column) {
    const std::string& cell = row[column];
    widths_[column] =
        std::max(widths_[column], std::min(DisplayWidth(cell), int{kMaxWidth}));
    if (!measured_ && cell != "-" && !IsNumber(cell)) numbers_[column] = false;
  }
}

void Table::WriteWaiting() {
  measured_ = true;
  // If there is only a heading, its cells count as text.
  if (waiting_.size() == 1) numbers_.assign(numbers_.size(), false);
  for (const std::vector<std::string>& row : waiting_) WriteRow(row);
  waiting_.clear();
}

void Table::WriteRow(const std::vector<std::string>& row) const {
  std::string line;
  for (size_t column = 0; column < row.size(); ++column) {
    const std::string padding(
        static_cast<size_t>(
            std::max(widths_[column] - DisplayWidth(row[column]), 0)),
        ' ');
    absl::StrAppend(&line, column == 0 ? "" : "  ",
                    numbers_[column] ? padding : "", row[column],
                    numbers_[column] ? "" : padding);
  }
  writer_(absl::StrCat(absl::StripTrailingAsciiWhitespace(line), "\n"));
}

}  // namespace gearctl
}  // namespace gearman
