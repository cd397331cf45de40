#include "gearman/plugins/registry.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gearman/plugins/field_error.h"
#include "gearman/tests/plugins/plugins_under_test.pb.h"
#include "gmock/gmock.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/dynamic_message.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using testing::CircleConfig;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::SquareConfig;

class Shape {
 public:
  virtual ~Shape() = default;
  virtual double area() const = 0;
};

class Square : public Shape {
 public:
  explicit Square(double side) : side_(side) {}
  double area() const override { return side_ * side_; }

 private:
  const double side_;
};

absl::StatusOr<std::unique_ptr<Shape>> MakeSquare(const SquareConfig& config) {
  if (config.side() < 0) {
    return FieldError("side", absl::StrCat(config.side()), "must not be < 0");
  }
  return std::make_unique<Square>(config.has_side() ? config.side() : 1);
}

class ShapeRegistry : public ::testing::Test {
 protected:
  ShapeRegistry() : registry_("shape") {
    EXPECT_TRUE(registry_.Register<SquareConfig>("square", MakeSquare).ok());
  }

  Registry<Shape> registry_;
};

TEST_F(ShapeRegistry, MakesAPluginFromItsConfig) {
  SquareConfig config;
  config.set_side(3);
  auto shape = registry_.Create(config);
  ASSERT_TRUE(shape.ok()) << shape.status();
  EXPECT_EQ((*shape)->area(), 9);
}

TEST_F(ShapeRegistry, WhatAFactoryThrowsIsItsError) {
  ASSERT_TRUE(registry_
                  .Register<CircleConfig>(
                      "circle",
                      [](const CircleConfig& config)
                          -> absl::StatusOr<std::unique_ptr<Shape>> {
                        if (config.has_radius()) throw config.radius();
                        throw std::runtime_error("no compass");
                      })
                  .ok());
  CircleConfig config;
  EXPECT_EQ(registry_.Create(config).status(),
            absl::UnknownError("shape \"circle\": no compass"));
  config.set_radius(1);
  EXPECT_EQ(registry_.Create(config).status(),
            absl::UnknownError("shape \"circle\": unknown exception"));
}

TEST_F(ShapeRegistry, MakesAPluginFromAnAny) {
  SquareConfig config;
  config.set_side(3);
  google::protobuf::Any any;
  any.PackFrom(config);
  auto shape = registry_.Create(any);
  ASSERT_TRUE(shape.ok()) << shape.status();
  EXPECT_EQ((*shape)->area(), 9);
}

TEST_F(ShapeRegistry, MakesAPluginFromADynamicMessage) {
  google::protobuf::DynamicMessageFactory factory;
  std::unique_ptr<google::protobuf::Message> config(
      factory.GetPrototype(SquareConfig::descriptor())->New());
  config->GetReflection()->SetDouble(
      config.get(), SquareConfig::descriptor()->FindFieldByName("side"), 3);
  auto shape = registry_.Create(*config);
  ASSERT_TRUE(shape.ok()) << shape.status();
  EXPECT_EQ((*shape)->area(), 9);
}

TEST_F(ShapeRegistry, MakesAPluginByNameFromTheDefaults) {
  auto shape = registry_.CreateByName("square");
  ASSERT_TRUE(shape.ok()) << shape.status();
  EXPECT_EQ((*shape)->area(), 1);
}

TEST_F(ShapeRegistry, ListsTheKnownNamesForAnUnknownOne) {
  const absl::Status status = registry_.CreateByName("sqare").status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_EQ(status.message(),
            "unknown shape \"sqare\": did you mean \"square\"? Known: square");
}

TEST_F(ShapeRegistry, ListsTheKnownConfigsForAnUnknownOne) {
  const absl::Status status = registry_.Create(CircleConfig()).status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("no shape has the config message "
                              "\"gearman.testing.CircleConfig\""),
                    HasSubstr("Known: gearman.testing.SquareConfig")));
}

TEST_F(ShapeRegistry, ListsTheKnownConfigsForAnUnknownAny) {
  google::protobuf::Any any;
  any.set_type_url("type.googleapis.com/gearman.testing.SquarConfig");
  const absl::Status status = registry_.Create(any).status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("did you mean \"gearman.testing.SquareConfig\"?"));
}

TEST_F(ShapeRegistry, RefusesAnAnyWithBrokenBytes) {
  google::protobuf::Any any;
  any.PackFrom(SquareConfig());
  any.set_value("\xff\xff\xff");
  const absl::Status status = registry_.Create(any).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("shape \"square\""));
}

TEST_F(ShapeRegistry, PutsThePluginsNameBeforeItsFactorysError) {
  SquareConfig config;
  config.set_side(-1);
  const absl::Status status = registry_.Create(config).status();
  EXPECT_EQ(status, [] {
    absl::Status expected = absl::InvalidArgumentError(
        "shape \"square\": side: -1 is not valid: must not be < 0");
    expected.SetPayload(kFieldPayload, absl::Cord("side"));
    return expected;
  }());
}

TEST_F(ShapeRegistry, CallsAFactoryThatMakesNothingAMistake) {
  ASSERT_TRUE(registry_
                  .Register<CircleConfig>("circle",
                                          [](const CircleConfig&) {
                                            return std::unique_ptr<Shape>();
                                          })
                  .ok());
  EXPECT_TRUE(absl::IsInternal(registry_.CreateByName("circle").status()));
}

TEST_F(ShapeRegistry, RefusesANameThatIsTaken) {
  const absl::Status status = registry_.Register<CircleConfig>(
      "square", [](const CircleConfig& config) {
        return std::make_unique<Square>(config.radius());
      });
  EXPECT_TRUE(absl::IsAlreadyExists(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"square\""));
}

TEST_F(ShapeRegistry, RefusesAConfigThatIsTaken) {
  const absl::Status status =
      registry_.Register<SquareConfig>("other_square", MakeSquare);
  EXPECT_TRUE(absl::IsAlreadyExists(status));
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("\"square\""), HasSubstr("other_square"),
                    HasSubstr("gearman.testing.SquareConfig")));
}

TEST_F(ShapeRegistry, RefusesAPluginWithoutNameOrFactory) {
  EXPECT_TRUE(absl::IsInvalidArgument(registry_.Register<CircleConfig>(
      "", [](const CircleConfig&) { return std::make_unique<Square>(1); })));
  EXPECT_TRUE(absl::IsInvalidArgument(
      registry_.Register<CircleConfig>("circle", nullptr)));
}

TEST_F(ShapeRegistry, SortsItsNames) {
  ASSERT_TRUE(registry_
                  .Register<CircleConfig>("circle",
                                          [](const CircleConfig& config) {
                                            return std::make_unique<Square>(
                                                config.radius());
                                          })
                  .ok());
  EXPECT_THAT(registry_.names(), ElementsAre("circle", "square"));
  EXPECT_THAT(registry_.config_types(),
              ElementsAre("gearman.testing.CircleConfig",
                          "gearman.testing.SquareConfig"));
}

TEST_F(ShapeRegistry, SaysWhenItKnowsNothing) {
  Registry<Shape> empty("shape");
  EXPECT_EQ(empty.CreateByName("square").status().message(),
            "unknown shape \"square\": Known: none");
}

TEST_F(ShapeRegistry, MayBeUsedByManyThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this] {
      for (int i = 0; i < 200; ++i) {
        EXPECT_TRUE(registry_.CreateByName("square").ok());
        (void)registry_.Register<CircleConfig>(
            "circle", [](const CircleConfig& config) {
              return std::make_unique<Square>(config.radius());
            });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(registry_.names(), ElementsAre("circle", "square"));
}

}  // namespace
}  // namespace gearman
