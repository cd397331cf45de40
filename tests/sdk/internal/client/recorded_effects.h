// RecordedEffects keeps the effects of a session, in order.
#ifndef GEARMAN_TESTS_SDK_INTERNAL_CLIENT_RECORDED_EFFECTS_H_
#define GEARMAN_TESTS_SDK_INTERNAL_CLIENT_RECORDED_EFFECTS_H_

#include <utility>
#include <vector>

#include "gearman/sdk/internal/client/effects.h"

namespace gearman {
namespace internal {

class RecordedEffects final : public EffectSink, public std::vector<Effect> {
 private:
  void OnEffect(Effect& effect) override { push_back(std::move(effect)); }
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_INTERNAL_CLIENT_RECORDED_EFFECTS_H_
