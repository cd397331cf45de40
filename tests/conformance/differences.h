// Where the embedded server differs from gearmand, on purpose: one table
// for the conformance suite and docs/protocol.md, which a test holds together.
// A test of such a point says what each of the two does.
#ifndef GEARMAN_TESTS_CONFORMANCE_DIFFERENCES_H_
#define GEARMAN_TESTS_CONFORMANCE_DIFFERENCES_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace gearman {
namespace conformance {

enum class Difference {
  kJoiningAnAbandonedJob,
  kJoiningACancelledJob,
  kForegroundJoiningABackgroundJob,
  kBackgroundJoiningAForegroundJob,
  kUniqueOf64Bytes,
  kUniqueOfAReduceJob,
  kDueDelayedJob,
  kLowJobsBehindADelayedJob,
  kRegisteringTwice,
  kUnregisteringWithAJobHeld,
  kTimeLimits,
  kHugeTimeLimit,
  kHugeEpoch,
  kLongStatusQuery,
  kSleepWithoutAGrab,
  kRegisteringWhileAsleep,
  kWokenWorkerLeaves,
  kDroppingAFunctionWithJobs,
  kCreatingAFunctionWithBareLineFeed,
  kMissingArgument,
  kAnswerOfAHandleAlone,
  kUnwantedException,
  kControlCharacters,
  kLongNames,
  kLongDenominator,
  kAnswersAfterHalfClose,
  kLimits,
  kOtherProtocols,
  kPeerNames,
  kVersionText,
};

struct DifferenceInfo {
  Difference difference;
  // The name in docs/protocol.md.
  absl::string_view name;
  // From this major version on gearmand does as the embedded server; 0: no
  // version does.
  int gone_in_gearmand = 0;
};

// All differences, in the order of the enumeration.
absl::Span<const DifferenceInfo> Differences();

// DifferenceInfo::gone_in_gearmand.
int GoneInGearmand(Difference difference);

}  // namespace conformance
}  // namespace gearman

#endif  // GEARMAN_TESTS_CONFORMANCE_DIFFERENCES_H_
