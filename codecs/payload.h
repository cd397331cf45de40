// Payload: the opaque last argument of a packet (a job's data, a result).
//
// A payload is borrowed (a view that somebody else keeps alive), owned (a
// string that can be moved out), or shared (one immutable string that many
// packets point at, so that a result for ten clients exists once).
// Not thread-safe, except that shared bytes are immutable.
#ifndef GEARMAN_CODECS_PAYLOAD_H_
#define GEARMAN_CODECS_PAYLOAD_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/string_view.h"

namespace gearman {

class Payload {
 public:
  // The empty payload.
  Payload() = default;
  // Owns `bytes`.
  explicit Payload(std::string bytes) : bytes_(std::move(bytes)) {}
  // Shares `bytes`; null is the empty payload.
  explicit Payload(std::shared_ptr<const std::string> bytes)
      : bytes_(std::move(bytes)) {}

  // Borrows `bytes`, which must outlive every use of the payload.
  static Payload View(absl::string_view bytes) {
    Payload payload;
    payload.bytes_.emplace<Borrowed>(bytes);
    return payload;
  }

  // The bytes; valid while this payload is neither changed nor destroyed.
  absl::string_view view() const {
    if (const auto* const view = std::get_if<Borrowed>(&bytes_)) return *view;
    const auto* string = std::get_if<Owned>(&bytes_);
    if (string == nullptr) string = std::get_if<Shared>(&bytes_)->get();
    return string == nullptr
               ? absl::string_view()
               : absl::string_view(string->data(), string->size());
  }
  size_t size() const { return view().size(); }
  // The bytes belong to somebody else.
  bool borrowed() const { return std::holds_alternative<Borrowed>(bytes_); }
  bool empty() const { return size() == 0; }
  // Bytes of memory that are freed with this payload. Borrowed and shared bytes
  // are not counted: others keep them, too.
  size_t owned_bytes() const {
    const auto* const owned = std::get_if<Owned>(&bytes_);
    return owned == nullptr ? 0 : owned->capacity();
  }

  // The bytes as a string: moved when owned, copied otherwise.
  std::string TakeString() && {
    if (auto* const owned = std::get_if<Owned>(&bytes_)) {
      return std::move(*owned);
    }
    const absl::string_view bytes = view();
    return std::string(bytes.data(), bytes.size());
  }

  // The bytes as a shared string: moved when owned, passed on when shared,
  // copied when borrowed. Never null.
  std::shared_ptr<const std::string> TakeShared() && {
    if (is_shared()) return std::move(*std::get_if<Shared>(&bytes_));
    return std::make_shared<const std::string>(std::move(*this).TakeString());
  }

  bool is_shared() const {
    const auto* const shared = std::get_if<Shared>(&bytes_);
    return shared != nullptr && *shared != nullptr;
  }
  // The shared string, or null when the payload is borrowed or owned.
  std::shared_ptr<const std::string> shared() const {
    const auto* const shared = std::get_if<Shared>(&bytes_);
    return shared == nullptr ? nullptr : *shared;
  }

 private:
  using Borrowed = absl::string_view;
  using Owned = std::string;
  using Shared = std::shared_ptr<const std::string>;

  std::variant<Borrowed, Owned, Shared> bytes_;
};

}  // namespace gearman

#endif  // GEARMAN_CODECS_PAYLOAD_H_
