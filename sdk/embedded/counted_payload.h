// CountedPayload: a payload that many packets share. An account counts its
// bytes once, until the last owner within the server releases it.
#ifndef GEARMAN_SDK_EMBEDDED_COUNTED_PAYLOAD_H_
#define GEARMAN_SDK_EMBEDDED_COUNTED_PAYLOAD_H_

#include <memory>
#include <string>
#include <utility>

#include "gearman/codecs/byte_account.h"
#include "gearman/codecs/payload.h"

namespace gearman {
namespace embedded {

// Releases a counted string: the string itself, which others may share, and the
// server's count of it.
struct CountedDeleter {
  std::shared_ptr<const std::string> bytes;
  std::unique_ptr<ByteShare> share;

  void operator()(const std::string* /*bytes*/) {
    share = nullptr;
    bytes = nullptr;
  }
};

// Returns `payload` as a shared string. No byte is copied unless `payload` is
// borrowed. `account` must outlive all owners of the string. One thread, or the
// holder of one lock, must use the account and release the string.
inline std::shared_ptr<const std::string> CountedPayload(Payload payload,
                                                         ByteAccount* account) {
  CountedDeleter deleter{std::move(payload).TakeShared(),
                         std::make_unique<ByteShare>(account)};
  deleter.share->Set(sizeof(CountedDeleter) + deleter.bytes->capacity());
  const std::string* const bytes = deleter.bytes.get();
  return std::shared_ptr<const std::string>(bytes, std::move(deleter));
}

// Returns the payload without its count, for an owner outside the server, which
// may release it on any thread.
inline Payload Uncounted(Payload payload) {
  const std::shared_ptr<const std::string> shared = payload.shared();
  const auto* const deleter = std::get_deleter<CountedDeleter>(shared);
  return deleter == nullptr ? std::move(payload) : Payload(deleter->bytes);
}

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_COUNTED_PAYLOAD_H_
