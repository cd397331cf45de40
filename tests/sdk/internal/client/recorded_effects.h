// RecordedEffects keeps what a session tells its sink, in order.
#ifndef GEARMAN_TESTS_SDK_INTERNAL_CLIENT_RECORDED_EFFECTS_H_
#define GEARMAN_TESTS_SDK_INTERNAL_CLIENT_RECORDED_EFFECTS_H_

#include <utility>
#include <vector>

#include "gearman/sdk/internal/client/effects.h"

namespace gearman {
namespace internal {

struct RecordedEffect : Effect {
  bool accepted = false;  // OnAccepted was called; `operation` alone is set
};

class RecordedEffects final : public EffectSink,
                              public std::vector<RecordedEffect> {
 private:
  void OnAccepted(JobRequestState* request) override {
    emplace_back().accepted = true;
    back().operation = request;
  }
  void OnEffect(Effect& effect) override {
    push_back({std::move(effect), /*accepted=*/false});
  }
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_INTERNAL_CLIENT_RECORDED_EFFECTS_H_
