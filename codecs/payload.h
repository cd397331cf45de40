// Payload: the opaque last argument of a packet (a job's data, a result;
// docs/protocol.md, section "Framing").
//
// A payload is borrowed (a view of bytes that another object keeps alive),
// owned (a string that can be moved out), or shared (one immutable string that
// many packets refer to, so that a result for ten clients exists once). It is
// not thread-safe, but shared bytes are immutable.
#ifndef GEARMAN_CODECS_PAYLOAD_H_
#define GEARMAN_CODECS_PAYLOAD_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "absl/base/config.h"
#include "absl/strings/string_view.h"
#include "gearman/base/cpp17.h"

namespace gearman {

class Payload {
 public:
  // Makes the empty payload.
  Payload() = default;
  // Makes a payload that owns `bytes`.
  explicit Payload(std::string bytes) : bytes_(std::move(bytes)) {}
  // Makes a payload that shares `bytes`; null makes the empty payload.
  explicit Payload(std::shared_ptr<const std::string> bytes)
      : bytes_(std::move(bytes)) {}

  // Makes a payload that borrows `bytes`, which must outlive every use of it.
  static Payload View(absl::string_view bytes) {
    Payload payload;
    payload.bytes_.emplace<Borrowed>(bytes);
    return payload;
  }

  // The bytes. They are valid while this payload is neither changed nor
  // destroyed.
  absl::string_view view() const {
    if (const auto* const view = std::get_if<Borrowed>(&bytes_)) return *view;
    const auto* string = std::get_if<Owned>(&bytes_);
    if (string == nullptr) string = std::get_if<Shared>(&bytes_)->get();
    return string == nullptr
               ? absl::string_view()
               : absl::string_view(string->data(), string->size());
  }
  // The number of bytes.
  size_t size() const { return view().size(); }
  // Whether another object keeps the bytes alive.
  bool borrowed() const { return std::holds_alternative<Borrowed>(bytes_); }
  // True if there are no bytes.
  bool empty() const { return size() == 0; }
  // The bytes of memory that are freed with this payload. Borrowed and shared
  // bytes don't count, because other objects keep them, too.
  size_t owned_bytes() const {
    const auto* const owned = std::get_if<Owned>(&bytes_);
    return owned == nullptr ? 0 : owned->capacity();
  }

  // Returns the bytes as a string: moved if owned, copied otherwise.
  std::string TakeString() && {
    if (auto* const owned = std::get_if<Owned>(&bytes_)) {
      return std::move(*owned);
    }
    const absl::string_view bytes = view();
    return std::string(bytes.data(), bytes.size());
  }

  // Returns the bytes as a shared string: moved if owned, passed on if shared,
  // copied if borrowed. It is never null. A string that is made here is not
  // const, so its last owner may change it.
  std::shared_ptr<const std::string> TakeShared() && {
    if (is_shared()) return std::move(*std::get_if<Shared>(&bytes_));
    return std::make_shared<std::string>(std::move(*this).TakeString());
  }

  // Whether the payload is a string that other objects may have, too.
  bool is_shared() const {
    const auto* const shared = std::get_if<Shared>(&bytes_);
    return shared != nullptr && *shared != nullptr;
  }
  // Returns the shared string, or null if the payload is borrowed or owned.
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

// Returns `shared`, which was not made as a const string, if it is the only
// reference, so that the string may be written to; else null. use_count alone
// does not order this thread after another one that has read the string and
// then dropped its reference.
inline std::shared_ptr<std::string> WritableIfOnly(
    std::shared_ptr<const std::string> shared) {
  if (shared.use_count() != 1) return nullptr;
#ifdef ABSL_HAVE_THREAD_SANITIZER
  // ThreadSanitizer does not know fences. Copying and dropping a reference has
  // the same effect, at the cost of two atomic operations.
  const std::shared_ptr<const std::string> ordered = shared;
#else
  std::atomic_thread_fence(std::memory_order_acquire);
#endif
  return std::const_pointer_cast<std::string>(std::move(shared));
}

}  // namespace gearman

#endif  // GEARMAN_CODECS_PAYLOAD_H_
