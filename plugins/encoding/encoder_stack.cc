#include "gearman/plugins/encoding/encoder_stack.h"

#include <functional>

#include "absl/strings/str_cat.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

// Whether `view` lies in `text`.
bool LiesIn(absl::string_view view, const std::string& text) {
  const std::less_equal<const char*> not_after;
  return not_after(text.data(), view.data()) &&
         not_after(view.data() + view.size(), text.data() + text.size());
}

}  // namespace

absl::StatusOr<std::unique_ptr<EncoderStack>> EncoderStack::Create(
    std::vector<std::shared_ptr<const DataEncoder>> encoders) {
  if (encoders.empty()) {
    return absl::InvalidArgumentError(
        "a stack of data encoders needs at least one; \"raw\" leaves the data "
        "as it is");
  }
  if (encoders.size() > kMostEncoders) {
    return absl::InvalidArgumentError(
        absl::StrCat("a stack of ", encoders.size(), " data encoders: at most ",
                     kMostEncoders,
                     " may be in "
                     "one"));
  }
  std::string name;
  for (size_t i = 0; i < encoders.size(); ++i) {
    if (encoders[i] == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("data encoder ", i + 1, " of the stack is null"));
    }
    if (i > 0 && encoders[i]->message_format() != nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(
          "data encoder \"", SafeText(encoders[i]->name()),
          "\" takes Protobuf messages, so it must be the first of its stack; "
          "\"",
          SafeText(encoders[0]->name()), "\" is before it"));
    }
    absl::StrAppend(&name, i > 0 ? "+" : "", encoders[i]->name());
  }
  return std::unique_ptr<EncoderStack>(
      new EncoderStack(std::move(encoders), std::move(name)));
}

absl::Status EncoderStack::Encode(const DataContext& context,
                                  std::string* data) const {
  for (const std::shared_ptr<const DataEncoder>& encoder : encoders_) {
    const absl::Status status = EncodeData(*encoder, context, data);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::string_view> EncoderStack::Decode(
    const DataContext& context, absl::string_view data,
    std::string* buffer) const {
  // The encoders write to these in turn, so that no one writes to what it
  // reads.
  std::string other;
  std::string* free = buffer;
  std::string* used = &other;
  for (auto encoder = encoders_.rbegin(); encoder != encoders_.rend();
       ++encoder) {
    absl::StatusOr<absl::string_view> decoded =
        DecodeData(**encoder, context, data, free);
    if (!decoded.ok()) return decoded.status();
    data = *decoded;
    if (LiesIn(data, *free)) std::swap(free, used);
  }
  if (!LiesIn(data, other)) return data;
  // A swap moves short texts, so the view is made anew.
  const size_t begin = static_cast<size_t>(data.data() - other.data());
  const size_t size = data.size();
  buffer->swap(other);
  return absl::string_view(*buffer).substr(begin, size);
}

}  // namespace gearman
