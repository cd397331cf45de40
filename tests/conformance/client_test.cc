// Tests of a client's questions to a server: the status of jobs, exceptions and
// other options, an echo. Submissions are in submit_test.cc.
#include <string>

#include "gearman/tests/conformance/fixture.h"

namespace gearman {
namespace conformance {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ClientConformance : public ConformanceTest {};
INSTANTIATE_TEST_SUITE_P(Servers, ClientConformance,
                         ::testing::ValuesIn(Variants()), VariantName);

// --- status ---

// Traps 24 and 26.
TEST_P(ClientConformance, StatusFollowsTheJob) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  EXPECT_THAT(Status(client, 1), ElementsAre("0", "0", "0", "0"));
  Submit(client, "f", "u", "", 1);
  EXPECT_THAT(Status(client, 1), ElementsAre("1", "0", "0", "0"));
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  EXPECT_THAT(Status(client, 1), ElementsAre("1", "1", "0", "0"));
  worker.Send(Command::kWorkStatus, {Handle(1), "4294967295", "10"});
  EXPECT_THAT(worker.Drain(), IsEmpty());
  EXPECT_EQ(client.Receive(),
            Packet(Command::kWorkStatus, {Handle(1), "4294967295", "10"}));
  EXPECT_THAT(Status(client, 1), ElementsAre("1", "1", "4294967295", "10"));
  worker.Send(Command::kWorkComplete, {Handle(1), ""});
  EXPECT_THAT(worker.Drain(), IsEmpty());
  client.Drain();
  EXPECT_THAT(Status(client, 1), ElementsAre("0", "0", "0", "0"));
}

// Trap 25, the server's side.
TEST_P(ClientConformance, WorkersWordsReachTheClientAndTheirNumberIsKept) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  struct {
    std::string said;
    std::string kept;
  } const cases[] = {{"0.5", "0"},        {"-1", "4294967295"},
                     {"", "0"},           {" 7x", "7"},
                     {"4294967296", "0"}, {"9999999999", "1410065407"},
                     {"nonsense", "0"}};
  for (const auto& test : cases) {
    worker.Send(Command::kWorkStatus, {Handle(1), test.said, test.said});
    EXPECT_THAT(worker.Drain(), IsEmpty());
    EXPECT_EQ(client.Receive(),
              Packet(Command::kWorkStatus, {Handle(1), test.said, test.said}));
    EXPECT_THAT(Status(client, 1), ElementsAre("1", "1", test.kept, test.kept))
        << test.said;
  }
}

TEST_P(ClientConformance, DenominatorIsReadToItsTenthByte) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  worker.Send(Command::kWorkStatus, {Handle(1), "12345678901", "12345678901"});
  EXPECT_THAT(worker.Drain(), IsEmpty());
  EXPECT_THAT(client.Receive().arguments,
              ElementsAre(Handle(1), "12345678901", "12345678901"));
  EXPECT_THAT(Status(client, 1),
              ElementsAre("1", "1", "3755744309", "1234567890"));
}

TEST_P(ClientConformance, LongerDenominatorReachesTheClient) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "", 1, Command::kSubmitJob);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  worker.Send(Command::kWorkStatus, {Handle(1), "1", "1.33333333333"});
  if (OnGearmand(Difference::kLongDenominator)) {
    // The numerator is kept, nobody is told anything, and later packets may end
    // the worker's connection.
    EXPECT_TRUE(Eventually([&client] { return Status(client, 1)[2] == "1"; }));
    EXPECT_THAT(Status(client, 1), ElementsAre("1", "1", "1", "0"));
    EXPECT_THAT(client.Drain(), IsEmpty());
  } else {
    EXPECT_THAT(worker.Drain(), IsEmpty());
    EXPECT_EQ(client.Receive(),
              Packet(Command::kWorkStatus, {Handle(1), "1", "1.33333333333"}));
  }
}

TEST_P(ClientConformance, StatusByUniqueCountsThoseWhoWait) {
  Peer& client = Connect();
  Peer& other = Connect();
  Peer& worker = ConnectWorker({"f"});
  EXPECT_EQ(client.Call(Command::kGetStatusUnique, {"u"}),
            Packet(Command::kStatusResUnique, {"u", "0", "0", "0", "0", "0"}));
  Submit(client, "f", "u", "", 1, Command::kSubmitJobBg);
  EXPECT_EQ(client.Call(Command::kGetStatusUnique, {"u"}),
            Packet(Command::kStatusResUnique, {"u", "1", "0", "0", "0", "0"}));
  Submit(client, "f", "u", "", 1);
  Submit(other, "f", "u", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  worker.Send(Command::kWorkStatus, {Handle(1), "3", "4"});
  EXPECT_THAT(worker.Drain(), IsEmpty());
  client.Drain();
  EXPECT_EQ(client.Call(Command::kGetStatusUnique, {"u"}),
            Packet(Command::kStatusResUnique, {"u", "1", "1", "3", "4", "2"}));
}

TEST_P(ClientConformance, AnybodyMayAskForAnyHandle) {
  Peer& client = Connect();
  Submit(client, "f", "u", "", 1);
  EXPECT_THAT(Status(Connect(), 1), ElementsAre("1", "0", "0", "0"));
}

TEST_P(ClientConformance, HandleMayEndInNul) {
  Peer& client = Connect();
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(client.Call(Command::kGetStatus, {Handle(1) + std::string(1, 0)}),
            Packet(Command::kStatusRes, {Handle(1), "1", "0", "0", "0"}));
}

TEST_P(ClientConformance, HandleIsMatchedExactly) {
  Peer& client = Connect();
  Submit(client, "f", "u", "", 1);
  for (const std::string handle :
       {"H:test:01", "H:test:+1", "H:test: 1", "H:test:", "H:test", "H:test:1 ",
        "H:test:11", "h:test:1", "", "1", "H:test:99999999999999999999999"}) {
    EXPECT_EQ(client.Call(Command::kGetStatus, {handle}),
              Packet(Command::kStatusRes, {handle, "0", "0", "0", "0"}));
  }
}

// Trap 8, the server's side.
TEST_P(ClientConformance, StatusQueryOf63BytesIsAnswered) {
  const std::string name(63, 'h');
  Peer& client = Connect();
  EXPECT_EQ(client.Call(Command::kGetStatus, {name}),
            Packet(Command::kStatusRes, {name, "0", "0", "0", "0"}));
  EXPECT_EQ(client.Call(Command::kGetStatusUnique, {name}),
            Packet(Command::kStatusResUnique, {name, "0", "0", "0", "0", "0"}));
}

TEST_P(ClientConformance, StatusQueryOf64BytesIsAnswered) {
  const std::string name(64, 'h');
  Peer& client = Connect();
  client.Send(Command::kGetStatus, {name});
  if (OnGearmand(Difference::kLongStatusQuery)) {
    // Nothing comes, and later packets end the connection.
    EXPECT_TRUE(Eventually([&client] {
      client.Send(Command::kGetStatus, {""});
      return client.Readable(absl::ZeroDuration());
    }));
    return;
  }
  EXPECT_EQ(client.Receive(),
            Packet(Command::kStatusRes, {name, "0", "0", "0", "0"}));
  EXPECT_EQ(client.Call(Command::kGetStatusUnique, {name}),
            Packet(Command::kStatusResUnique, {name, "0", "0", "0", "0", "0"}));
  Submit(client, "f", name, "", 1);
  EXPECT_EQ(client.Call(Command::kGetStatusUnique, {name}),
            Packet(Command::kStatusResUnique, {name, "1", "0", "0", "0", "1"}));
}

// --- exceptions ---

// Trap 21.
TEST_P(ClientConformance, UnwantedExceptionComesAsAFailure) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  worker.Send(Command::kWorkException, {Handle(1), "why"});
  if (OnGearmand(Difference::kUnwantedException)) {
    EXPECT_EQ(client.Receive(),
              Packet(Command::kWorkFail, {Handle(1) + std::string(1, 0)}));
  } else {
    EXPECT_EQ(client.Receive(), Packet(Command::kWorkFail, {Handle(1)}));
  }
  EXPECT_THAT(Status(client, 1), ElementsAre("0", "0", "0", "0"));
}

TEST_P(ClientConformance, ExceptionComesToThoseWhoAskedForIt) {
  Peer& client = Connect();
  Peer& other = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "", 1);
  Submit(other, "f", "u", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  // The option may also come after the submit, and in any case of letters.
  EXPECT_EQ(client.Call(Command::kOptionReq, {"ExCePtIoNs"}),
            Packet(Command::kOptionRes, {"ExCePtIoNs"}));
  worker.Send(Command::kWorkException, {Handle(1), "why"});
  EXPECT_EQ(client.Receive(),
            Packet(Command::kWorkException, {Handle(1), "why"}));
  EXPECT_EQ(other.Receive().command, Command::kWorkFail);
}

// Trap 22, the server's side.
TEST_P(ClientConformance, ExceptionsOptionEndsWithItsConnection) {
  Peer& before = Connect();
  EXPECT_EQ(before.Call(Command::kOptionReq, {"exceptions"}),
            Packet(Command::kOptionRes, {"exceptions"}));
  before.Close();
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  worker.Send(Command::kWorkException, {Handle(1), "why"});
  EXPECT_EQ(client.Receive().command, Command::kWorkFail);
}

TEST_P(ClientConformance, ServerCanSendExceptionsToAll) {
  options.exceptions = true;
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  worker.Send(Command::kWorkException, {Handle(1), "why"});
  EXPECT_EQ(client.Receive(),
            Packet(Command::kWorkException, {Handle(1), "why"}));
}

TEST_P(ClientConformance, UnknownOptionsAreRefused) {
  Peer& client = Connect();
  for (const std::string& option :
       {std::string(), std::string("exception"), std::string("exceptions "),
        std::string(64, 'o'), std::string(200, 'o')}) {
    EXPECT_EQ(
        client.Call(Command::kOptionReq, {option}),
        Packet(Command::kError,
               {"UNKNOWN_OPTION", "Server does not recognize given option"}));
  }
}

// --- echo ---

TEST_P(ClientConformance, EchoReturnsItsData) {
  Peer& client = Connect();
  for (const std::string& data :
       {std::string(), std::string("a\0b\0", 4), std::string(1 << 20, 'x')}) {
    if (GetParam().in_pieces && data.size() > 65536) break;
    EXPECT_EQ(client.Call(Command::kEchoReq, {data}),
              Packet(Command::kEchoRes, {data}));
  }
}

}  // namespace
}  // namespace conformance
}  // namespace gearman
