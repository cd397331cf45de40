// ConfigContent is what a Config holds. It is apart from sdk/config.h, which
// needs neither Protobuf nor an internal header so.
#ifndef GEARMAN_SDK_INTERNAL_CONFIG_CONFIG_CONTENT_H_
#define GEARMAN_SDK_INTERNAL_CONFIG_CONFIG_CONTENT_H_

#include "gearman/sdk/config.pb.h"
#include "gearman/sdk/internal/config/places.h"

namespace gearman {
namespace internal {

struct ConfigContent {
  config::GearmanConfig message;
  Places places;  // where each value was written
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CONFIG_CONFIG_CONTENT_H_
