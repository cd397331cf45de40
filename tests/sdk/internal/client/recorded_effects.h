// RecordedEffects keeps what a session tells its sink, in order.
#ifndef GEARMAN_TESTS_SDK_INTERNAL_CLIENT_RECORDED_EFFECTS_H_
#define GEARMAN_TESTS_SDK_INTERNAL_CLIENT_RECORDED_EFFECTS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gearman/codecs/payload.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/internal/client/effects.h"
#include "gearman/sdk/internal/request/job_request_state.h"

namespace gearman {
namespace internal {

struct RecordedEffect : Effect {
  bool accepted = false;  // OnAccepted was called; `operation` alone is set
  // OnPiece was called, for these bytes of so many, from this offset on;
  // `operation` and `data` are set.
  bool piece = false;
  uint64_t offset = 0;
  uint64_t size = 0;
};

class RecordedEffects final : public EffectSink,
                              public std::vector<RecordedEffect> {
 private:
  void OnAccepted(JobRequestState* request) override {
    emplace_back().accepted = true;
    back().operation = request;
  }
  void OnEffect(Effect& effect) override {
    RecordedEffect& recorded = emplace_back();
    static_cast<Effect&>(recorded) = std::move(effect);
  }
  void OnPiece(JobRequestState* request, const DataPiece& piece) override {
    RecordedEffect& recorded = emplace_back();
    recorded.piece = true;
    recorded.operation = request;
    recorded.data =
        Payload(std::string(piece.bytes.data(), piece.bytes.size()));
    recorded.offset = piece.offset;
    recorded.size = piece.size;
  }
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_INTERNAL_CLIENT_RECORDED_EFFECTS_H_
