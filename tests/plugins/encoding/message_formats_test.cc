// `protobuf` and `json`, the two encoders that take Protobuf messages.
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/plugins/encoding/json_encoder.h"
#include "gearman/plugins/encoding/message_format.h"
#include "gearman/plugins/encoding/protobuf_encoder.h"
#include "gearman/tests/plugins/encoding/encoding_under_test.pb.h"
#include "gearman/tests/plugins/encoding/required_under_test.pb.h"
#include "gearman/tests/plugins/encoding/round_trip.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using google::protobuf::util::MessageDifferencer;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::Order;
using testing::Parcel;

Order Example() {
  Order order;
  order.set_customer("J\xc3\xbcrgen \"\\\n");
  order.set_cents(1'234'567'890'123);
  order.add_lines("a");
  order.add_lines("");
  order.mutable_earlier()->set_cents(-1);
  return order;
}

struct Case {
  std::string name;
  std::shared_ptr<const DataEncoder> encoder;
  std::shared_ptr<const DataEncoder> limited_to_20;
};

Case ProtobufCase() {
  ProtobufOptions options;
  options.max_message_bytes = 20;
  return {"protobuf", std::make_shared<ProtobufEncoder>(),
          std::make_shared<ProtobufEncoder>(options)};
}
Case JsonCase() {
  JsonOptions options;
  options.max_message_bytes = 20;
  return {"json", std::make_shared<JsonEncoder>(),
          std::make_shared<JsonEncoder>(options)};
}

class MessageFormats : public ::testing::TestWithParam<Case> {
 protected:
  const MessageFormat& format() {
    return *GetParam().encoder->message_format();
  }
  const MessageFormat& limited() {
    return *GetParam().limited_to_20->message_format();
  }
};

TEST_P(MessageFormats, ReadWhatTheyWrite) {
  std::string bytes = "left over";
  ASSERT_TRUE(format().EncodeMessage(Example(), &bytes).ok());
  Order order;
  order.set_customer("left over");
  order.add_lines("left over");
  const absl::Status status = format().DecodeMessage(bytes, &order);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(MessageDifferencer::Equals(order, Example()));
}

TEST_P(MessageFormats, LeaveBytesAsTheyAre) {
  const DataEncoder& encoder = *GetParam().encoder;
  EXPECT_EQ(encoder.name(), GetParam().name);
  EXPECT_EQ(*testing::Encoded(encoder, "bytes"), "bytes");
  EXPECT_EQ(*testing::Decoded(encoder, "bytes"), "bytes");
}

TEST_P(MessageFormats, SayWhatTheyFoundInstead) {
  Order order;
  const absl::Status status = format().DecodeMessage("hello, world!", &order);
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("gearman.testing.Order"),
                    HasSubstr("found 13 bytes that begin with \"hello, "
                              "world!\"")));
}

TEST_P(MessageFormats, LimitWhatTheyRead) {
  Order order;
  order.set_customer("1234567890123456789");
  std::string bytes;
  ASSERT_TRUE(format().EncodeMessage(order, &bytes).ok());
  ASSERT_GT(bytes.size(), 20);
  EXPECT_EQ(limited().DecodeMessage(bytes, &order),
            absl::ResourceExhaustedError(
                absl::StrCat("the message has ", bytes.size(),
                             " bytes, and at most 20 are allowed "
                             "(max_message_bytes)")));
  Order small;
  ASSERT_TRUE(format().EncodeMessage(small, &bytes).ok());
  EXPECT_TRUE(limited().DecodeMessage(bytes, &small).ok());
}

TEST_P(MessageFormats, RefuseIncompleteMessages) {
  Parcel parcel;
  parcel.set_grams(5);
  std::string bytes;
  const absl::Status status = format().EncodeMessage(parcel, &bytes);
  EXPECT_EQ(status,
            absl::InvalidArgumentError("the message gearman.testing.Parcel "
                                       "lacks required fields: address"));
  parcel.set_address("a");
  ASSERT_TRUE(format().EncodeMessage(parcel, &bytes).ok());
  EXPECT_TRUE(format().DecodeMessage(bytes, &parcel).ok());
}

TEST_P(MessageFormats, ReadMessagesWithinMessages) {
  Order order;
  Order* inner = &order;
  for (int depth = 0; depth < 50; ++depth) inner = inner->mutable_earlier();
  std::string bytes;
  ASSERT_TRUE(format().EncodeMessage(order, &bytes).ok());
  EXPECT_TRUE(format().DecodeMessage(bytes, &order).ok());
}

// Protobuf may find that a change makes another message, but never ends the
// program, and always gives a reason.
TEST_P(MessageFormats, AnswerEveryCutAndEveryChangedByte) {
  std::string whole;
  ASSERT_TRUE(format().EncodeMessage(Example(), &whole).ok());
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x55);
    Order order;
    for (const std::string& bytes : {changed, whole.substr(0, at)}) {
      const absl::Status status = format().DecodeMessage(bytes, &order);
      EXPECT_TRUE(status.ok() || absl::IsDataLoss(status)) << status;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, MessageFormats,
                         ::testing::Values(ProtobufCase(), JsonCase()),
                         [](const ::testing::TestParamInfo<Case>& info) {
                           return info.param.name;
                         });

TEST(ProtobufEncoder, RefusesAMessageWithoutARequiredField) {
  Parcel parcel;
  EXPECT_EQ(ProtobufEncoder().DecodeMessage("", &parcel),
            absl::DataLossError("the message gearman.testing.Parcel lacks "
                                "required fields: address"));
}

TEST(ProtobufEncoder, RefusesMessagesThatLieTooDeep) {
  Order order;
  Order* inner = &order;
  for (int depth = 0; depth < 150; ++depth) inner = inner->mutable_earlier();
  std::string bytes;
  ASSERT_TRUE(ProtobufEncoder().EncodeMessage(order, &bytes).ok());
  EXPECT_TRUE(absl::IsDataLoss(ProtobufEncoder().DecodeMessage(bytes, &order)));
}

TEST(JsonEncoder, RefusesMessagesThatLieTooDeep) {
  std::string text;
  for (int depth = 0; depth < 150; ++depth) text += "{\"earlier\":";
  text += "{}" + std::string(150, '}');
  Order order;
  EXPECT_TRUE(absl::IsDataLoss(JsonEncoder().DecodeMessage(text, &order)));
}

TEST(JsonEncoder, WritesProtobufsJsonInOneLine) {
  Order order;
  order.set_customer("a");
  order.set_cents(7);
  std::string text;
  ASSERT_TRUE(JsonEncoder().EncodeMessage(order, &text).ok());
  EXPECT_EQ(text, "{\"customer\":\"a\",\"cents\":\"7\"}");
}

TEST(JsonEncoder, ReadsJsonAsPeersWriteIt) {
  Order order;
  const absl::Status status = JsonEncoder().DecodeMessage(
      " { \"cents\": 7,\r\n \"lines\": [\"a\", \"\\u00fc\"] } ", &order);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(order.cents(), 7);
  EXPECT_EQ(order.lines(1), "\xc3\xbc");
}

TEST(JsonEncoder, SkipsUnknownFieldsOnlyWhenToldTo) {
  Order order;
  const absl::Status status =
      JsonEncoder().DecodeMessage("{\"colour\":1}", &order);
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("colour"));
  JsonOptions options;
  options.ignore_unknown_fields = true;
  EXPECT_TRUE(
      JsonEncoder(options).DecodeMessage("{\"colour\":1}", &order).ok());
}

TEST(JsonEncoder, ShowsNothingUnsafeOfAPeersText) {
  Order order;
  const absl::Status status =
      JsonEncoder().DecodeMessage("{\"a\x1b[31m\nb\": 1}", &order);
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_EQ(status.message().find('\x1b'), absl::string_view::npos);
  EXPECT_EQ(status.message().find('\n'), absl::string_view::npos);
}

}  // namespace
}  // namespace gearman
