// Payloads beyond the embedded server's limit: each ends only the submission or
// job that it belongs to.
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "gearman/tests/sdk/embedded/engine_fixture.h"
#include "gearman/tests/sdk/embedded/engine_peer.h"
#include "gearman/tests/support/raw_packet.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace embedded {
namespace {

using support::RequestPacket;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr size_t kLimit = 1 << 20;  // of EnginePeer
constexpr uint32_t kOptionReq = 26;

// A payload that makes a packet with `names` bytes beside it of `bytes` bytes.
std::string Payload(size_t names, size_t bytes) {
  return std::string(bytes - 12 - names, 'x');
}

using ServerEngineSizesTest = ServerEngineTest;

TEST_F(ServerEngineSizesTest, ASubmissionBeyondTheLimitIsRefusedWithItsSize) {
  EnginePeer& client = Connect();
  for (const uint32_t type : {7, 18, 21, 32, 33, 34}) {
    EXPECT_THAT(
        Ask(client, RequestPacket(type, {"f", "", Payload(3, kLimit + 1)}) +
                        RequestPacket(16, {"ping"})),
        ElementsAre(AllOf(StartsWith("ERROR ARGUMENT_TOO_LARGE|"),
                          HasSubstr(absl::StrCat(kLimit + 1)),
                          HasSubstr(absl::StrCat(kLimit, " bytes")),
                          HasSubstr("max_packet_bytes")),
                    "ECHO_RES ping"))
        << type;
  }
  EXPECT_EQ(engine().queue().size(), 0u);
}

TEST_F(ServerEngineSizesTest, AnEchoBeyondTheLimitIsRefused) {
  EnginePeer& client = Connect();
  EXPECT_THAT(
      Ask(client, RequestPacket(16, {Payload(0, 2 * kLimit)}) +
                      RequestPacket(16, {"ping"})),
      ElementsAre(StartsWith("ERROR ARGUMENT_TOO_LARGE|"), "ECHO_RES ping"));
}

TEST_F(ServerEngineSizesTest, ASubmissionOfTheLimitIsTaken) {
  EnginePeer& client = Connect();
  EXPECT_THAT(Ask(client, RequestPacket(7, {"f", "", Payload(3, kLimit)})),
              ElementsAre("JOB_CREATED H:1"));
}

// WORK_COMPLETE, WORK_EXCEPTION, WORK_DATA, WORK_WARNING.
class ServerEngineSizesOfWorkTest
    : public ServerEngineTest,
      public ::testing::WithParamInterface<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Packets, ServerEngineSizesOfWorkTest,
                         ::testing::Values(13, 25, 28, 29));

TEST_P(ServerEngineSizesOfWorkTest, BeyondTheLimitFailsItsJobOnce) {
  EnginePeer& asked = Connect(RequestPacket(kOptionReq, {"exceptions"}) +
                              Submit("f", "u", "data"));
  EnginePeer& other = Connect(Submit("f", "u", "data"));
  EnginePeer& neighbour = Connect(Submit("f", "", "data"));
  for (EnginePeer* peer : {&asked, &other, &neighbour}) peer->Received();
  EnginePeer& worker = Connect(CanDo("f") + Grab() + Grab());
  worker.Received();
  const std::string large =
      RequestPacket(GetParam(), {"H:1", Payload(4, 2 * kLimit)});
  EXPECT_TRUE(worker.Send(large + Complete("H:2", "result")));
  EXPECT_THAT(asked.Received(),
              ElementsAre(AllOf(StartsWith("WORK_EXCEPTION H:1|"),
                                HasSubstr(absl::StrCat(2 * kLimit)),
                                HasSubstr("max_packet_bytes"))));
  EXPECT_THAT(other.Received(), ElementsAre(StartsWith("WORK_FAIL H:1")));
  EXPECT_THAT(neighbour.Received(), ElementsAre("WORK_COMPLETE H:2|result"));
  // The job that failed does not run again.
  worker.Received();
  EXPECT_THAT(Ask(worker, Grab()), ElementsAre("NO_JOB"));
}

TEST_F(ServerEngineSizesTest, OfAJobThatIsNotHeldEndsNothing) {
  EnginePeer& client = Connect(Submit("f", "", "data"));
  client.Received();
  EnginePeer& stranger = Connect();
  EXPECT_THAT(Ask(stranger, RequestPacket(13, {"H:1", Payload(4, 2 * kLimit)})),
              ElementsAre(StartsWith("ERROR JOB_NOT_FOUND|")));
  EXPECT_THAT(client.Received(), IsEmpty());
}

}  // namespace
}  // namespace embedded
}  // namespace gearman
