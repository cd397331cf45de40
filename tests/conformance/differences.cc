#include "gearman/tests/conformance/differences.h"

#include <cstddef>

namespace gearman {
namespace conformance {
namespace {

constexpr DifferenceInfo kDifferences[] = {
    {Difference::kJoiningAnAbandonedJob, "Joining an abandoned job"},
    {Difference::kJoiningACancelledJob, "Joining a cancelled job"},
    {Difference::kForegroundJoiningABackgroundJob,
     "Foreground joining a background job"},
    {Difference::kBackgroundJoiningAForegroundJob,
     "Background joining a foreground job"},
    {Difference::kUniqueOf64Bytes, "Unique of 64 bytes"},
    {Difference::kUniqueOfAReduceJob, "Unique of a reduce job"},
    {Difference::kDueDelayedJob, "Due delayed job", 2},
    {Difference::kLowJobsBehindADelayedJob, "Low jobs behind a delayed job", 2},
    {Difference::kRegisteringTwice, "Registering twice"},
    {Difference::kUnregisteringWithAJobHeld, "Unregistering with a job held"},
    {Difference::kTimeLimits, "Time limits"},
    {Difference::kHugeTimeLimit, "Huge time limit"},
    {Difference::kHugeEpoch, "Huge epoch"},
    {Difference::kLongStatusQuery, "Long status query"},
    {Difference::kSleepWithoutAGrab, "Sleep without a grab"},
    {Difference::kRegisteringWhileAsleep, "Registering while asleep"},
    {Difference::kWokenWorkerLeaves, "Woken worker leaves"},
    {Difference::kDroppingAFunctionWithJobs, "Dropping a function with jobs"},
    {Difference::kCreatingAFunctionWithBareLineFeed,
     "Creating a function with a bare line feed"},
    {Difference::kMissingArgument, "Missing argument"},
    {Difference::kAnswerOfAHandleAlone, "Answer of a handle alone"},
    {Difference::kUnwantedException, "Unwanted exception"},
    {Difference::kControlCharacters, "Control characters in names"},
    {Difference::kLongNames, "Long names"},
    {Difference::kLongDenominator, "Long denominator"},
    {Difference::kAnswersAfterHalfClose, "Answers after half-close"},
    {Difference::kLimits, "Limits"},
    {Difference::kOtherProtocols, "Other protocols"},
    {Difference::kPeerNames, "Peer names"},
    {Difference::kVersionText, "Version text"},
};

}  // namespace

absl::Span<const DifferenceInfo> Differences() { return kDifferences; }

int GoneInGearmand(Difference difference) {
  return kDifferences[static_cast<size_t>(difference)].gone_in_gearmand;
}

}  // namespace conformance
}  // namespace gearman
