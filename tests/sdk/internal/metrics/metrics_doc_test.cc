// docs/guide/metrics.md shows the catalogue: changing one without the other fails
// here, with the table to paste.
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "gearman/sdk/internal/metrics/catalogue.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

TEST(MetricsDocument, ShowsTheCatalogue) {
  std::ifstream file("docs/guide/metrics.md");
  ASSERT_TRUE(file.good());
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(absl::StrContains(text.str(), MetricsCatalogueAsMarkdown()))
      << "docs/guide/metrics.md needs this table:\n"
      << MetricsCatalogueAsMarkdown();
}

}  // namespace
}  // namespace internal
}  // namespace gearman
