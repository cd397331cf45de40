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

#include "absl/strings/string_view.h"

namespace gearman {

class Payload {
 public:
  // The empty payload.
  Payload() = default;
  // Owns `bytes`.
  explicit Payload(std::string bytes)
      : owned_(std::move(bytes)), kind_(Kind::kOwned) {}
  // Shares `bytes`; null is the empty payload.
  explicit Payload(std::shared_ptr<const std::string> bytes)
      : shared_(std::move(bytes)), kind_(Kind::kShared) {}

  // Borrows `bytes`, which must outlive every use of the payload.
  static Payload View(absl::string_view bytes) {
    Payload payload;
    payload.borrowed_ = bytes;
    return payload;
  }

  // The bytes; valid while this payload is neither changed nor destroyed.
  absl::string_view view() const {
    switch (kind_) {
      case Kind::kBorrowed:
        return borrowed_;
      case Kind::kOwned:
        return absl::string_view(owned_.data(), owned_.size());
      case Kind::kShared:
        break;
    }
    return shared_ == nullptr
               ? absl::string_view()
               : absl::string_view(shared_->data(), shared_->size());
  }
  size_t size() const { return view().size(); }
  // The bytes belong to somebody else.
  bool borrowed() const { return kind_ == Kind::kBorrowed; }
  bool empty() const { return size() == 0; }
  // Bytes of memory that are freed with this payload. Borrowed and shared bytes
  // are not counted: others keep them, too.
  size_t owned_bytes() const {
    return kind_ == Kind::kOwned ? owned_.capacity() : 0;
  }

  // The bytes as a string: moved when owned, copied otherwise.
  std::string TakeString() && {
    if (kind_ == Kind::kOwned) return std::move(owned_);
    const absl::string_view bytes = view();
    return std::string(bytes.data(), bytes.size());
  }

  // The bytes as a shared string: moved when owned, passed on when shared,
  // copied when borrowed. Never null.
  std::shared_ptr<const std::string> TakeShared() && {
    if (kind_ == Kind::kShared && shared_ != nullptr) return std::move(shared_);
    return std::make_shared<const std::string>(std::move(*this).TakeString());
  }

  // The shared string, or null when the payload is borrowed or owned.
  const std::shared_ptr<const std::string>& shared() const { return shared_; }

 private:
  enum class Kind : unsigned char { kBorrowed, kOwned, kShared };

  absl::string_view borrowed_;
  std::string owned_;
  std::shared_ptr<const std::string> shared_;
  Kind kind_ = Kind::kBorrowed;
};

}  // namespace gearman

#endif  // GEARMAN_CODECS_PAYLOAD_H_
