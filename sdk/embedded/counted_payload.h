// CountedPayload: a payload that many packets share. An account counts its
// bytes once, until the last owner releases it.
#ifndef GEARMAN_SDK_EMBEDDED_COUNTED_PAYLOAD_H_
#define GEARMAN_SDK_EMBEDDED_COUNTED_PAYLOAD_H_

#include <memory>
#include <string>
#include <utility>

#include "gearman/codecs/byte_account.h"
#include "gearman/codecs/payload.h"

namespace gearman {
namespace embedded {

// Returns `payload` as a shared string. Moves the bytes if `payload` owns them.
// `account` must outlive all owners of the string. One thread, or the holder of
// one lock, must use the account and release the string.
inline std::shared_ptr<const std::string> CountedPayload(Payload payload,
                                                         ByteAccount* account) {
  struct Counted {
    explicit Counted(ByteAccount* all) : share(all) {}
    ByteShare share;
    std::string bytes;
  };
  auto counted = std::make_shared<Counted>(account);
  counted->bytes = std::move(payload).TakeString();
  counted->share.Set(sizeof(Counted) + counted->bytes.capacity());
  return std::shared_ptr<const std::string>(counted, &counted->bytes);
}

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_COUNTED_PAYLOAD_H_
