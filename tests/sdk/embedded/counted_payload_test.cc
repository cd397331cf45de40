#include "gearman/sdk/embedded/counted_payload.h"

#include <memory>
#include <string>
#include <utility>

#include "gearman/codecs/byte_account.h"
#include "gearman/codecs/payload.h"
#include "gtest/gtest.h"

namespace gearman {
namespace embedded {
namespace {

TEST(CountedPayloadTest, CountsAStringUntilItsLastOwnerReleasesIt) {
  ByteAccount account;
  std::string large(100000, 'l');
  const char* const bytes = large.data();
  auto counted = CountedPayload(Payload(std::move(large)), &account);
  EXPECT_EQ(counted->data(), bytes);
  EXPECT_GE(account.bytes(), 100000u);
  auto second = counted;
  counted = nullptr;
  EXPECT_GE(account.bytes(), 100000u);
  second = nullptr;
  EXPECT_EQ(account.bytes(), 0u);
}

TEST(CountedPayloadTest, SharesAStringThatIsShared) {
  ByteAccount account;
  const std::shared_ptr<const std::string> shared =
      std::make_shared<std::string>("shared");
  auto counted = CountedPayload(Payload(shared), &account);
  EXPECT_EQ(counted.get(), shared.get());
}

TEST(CountedPayloadTest, IsNotCountedForAnOwnerOutsideTheServer) {
  ByteAccount account;
  auto counted = CountedPayload(Payload(std::string(100000, 'l')), &account);
  const char* const bytes = counted->data();
  const Payload outside = Uncounted(Payload(std::move(counted)));
  EXPECT_EQ(account.bytes(), 0u);
  EXPECT_EQ(outside.view().data(), bytes);
  EXPECT_EQ(outside.size(), 100000u);
}

TEST(CountedPayloadTest, APayloadWithoutACountStaysAsItIs) {
  EXPECT_EQ(Uncounted(Payload(std::string("owned"))).view(), "owned");
  const auto shared = std::make_shared<std::string>("shared");
  EXPECT_EQ(Uncounted(Payload(std::shared_ptr<const std::string>(shared)))
                .shared()
                .get(),
            shared.get());
}

}  // namespace
}  // namespace embedded
}  // namespace gearman
