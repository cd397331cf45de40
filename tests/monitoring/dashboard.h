// The Grafana dashboard of docs/monitoring, as far as tests look at it.
#ifndef GEARMAN_TESTS_MONITORING_DASHBOARD_H_
#define GEARMAN_TESTS_MONITORING_DASHBOARD_H_

#include <string>
#include <vector>

namespace gearman {

// The content of a file. A failure is a failure of the running test.
std::string ReadWholeFile(const std::string& path);

// All PromQL of the dashboard's panels.
std::vector<std::string> DashboardExpressions();
// The queries of its variables.
std::vector<std::string> DashboardVariables();

}  // namespace gearman

#endif  // GEARMAN_TESTS_MONITORING_DASHBOARD_H_
