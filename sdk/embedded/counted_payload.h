// CountedPayload: a payload that many packets point at, whose bytes are in an
// account once, for as long as anybody keeps it.
#ifndef GEARMAN_SDK_EMBEDDED_COUNTED_PAYLOAD_H_
#define GEARMAN_SDK_EMBEDDED_COUNTED_PAYLOAD_H_

#include <memory>
#include <string>
#include <utility>

#include "gearman/codecs/byte_account.h"
#include "gearman/codecs/payload.h"

namespace gearman {
namespace embedded {

// `payload` as a shared string, moved when it is owned. `account` outlives all
// who keep it, and is only touched by their thread or under their lock.
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
