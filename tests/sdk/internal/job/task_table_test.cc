#include "gearman/sdk/internal/job/task_table.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::shared_ptr<Task> Named(const std::string& function) {
  auto task = std::make_shared<Task>();
  task->function = function;
  return task;
}

std::vector<std::string> Names(const TaskTable& table) {
  std::vector<std::string> names;
  for (const auto& task : table.tasks()) names.push_back(task->function);
  return names;
}

// "+name": registered; "-name": unregistered.
std::vector<std::string> Described(const std::vector<TaskChange>& changes) {
  std::vector<std::string> texts;
  for (const TaskChange& change : changes) {
    texts.push_back(
        absl::StrCat(change.task != nullptr ? "+" : "-", change.function));
  }
  return texts;
}

TEST(TaskTable, KeepsTheOrderOfRegistration) {
  TaskTable table;
  for (const char* name : {"c", "a", "b"}) {
    EXPECT_EQ(table.Put(Named(name)), nullptr);
  }
  EXPECT_NE(table.Remove("a"), nullptr);
  EXPECT_EQ(table.Remove("a"), nullptr);
  table.Put(Named("a"));
  EXPECT_THAT(Names(table), ElementsAre("c", "b", "a"));
}

TEST(TaskTable, ATaskTakesThePlaceOfTheOneOfItsFunction) {
  TaskTable table;
  const std::shared_ptr<Task> first = Named("a");
  const std::shared_ptr<Task> second = Named("a");
  table.Put(first);
  table.Put(Named("b"));
  EXPECT_EQ(table.Put(second), first);
  EXPECT_EQ(table.Find("a"), second);
  EXPECT_EQ(table.Find("c"), nullptr);
  EXPECT_THAT(Names(table), ElementsAre("a", "b"));
  // The table holds no view of the first task's name.
  EXPECT_EQ(first.use_count(), 1);
}

TEST(TaskTable, ItsChangesMakeACopyOfIt) {
  TaskTable table;
  for (const char* name : {"c", "a", "b"}) table.Put(Named(name));
  EXPECT_THAT(Described(table.AsChanges()), ElementsAre("+c", "+a", "+b"));
}

TEST(TaskGates, ATaskThatIsRegisteredAgainHasTheGateThatItsJobsHold) {
  TaskGates gates;
  std::shared_ptr<Task> first = Named("a");
  gates.Share(first.get());
  const std::shared_ptr<Task> second = Named("a");
  gates.Share(second.get());
  EXPECT_EQ(second->gate, first->gate);
  const std::shared_ptr<Task> other = Named("b");
  gates.Share(other.get());
  EXPECT_NE(other->gate, first->gate);
}

TEST(TaskGates, ForgetThoseThatAreGone) {
  TaskGates gates;
  const std::shared_ptr<Task> kept = Named("kept");
  gates.Share(kept.get());
  for (int i = 0; i < 10000; ++i) {
    gates.Share(Named(absl::StrCat(i)).get());
    ASSERT_LE(gates.size(), 64u);
  }
  const std::shared_ptr<Task> again = Named("kept");
  gates.Share(again.get());
  EXPECT_EQ(again->gate, kept->gate);
}

TEST(TaskChanges, NamesEachFunctionOnceHoweverOftenItChanged) {
  TaskTable table;
  TaskChanges changes;
  for (int i = 0; i < 3; ++i) {
    table.Put(Named("often"));
    changes.Note("often");
    table.Remove("often");
    changes.Note("often");
  }
  table.Put(Named("new"));
  changes.Note("new");
  EXPECT_THAT(Described(changes.Take(table)), ElementsAre("-often", "+new"));
  EXPECT_THAT(changes.Take(table), IsEmpty());
}

}  // namespace
}  // namespace internal
}  // namespace gearman
