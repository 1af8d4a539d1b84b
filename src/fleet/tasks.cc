#include "fleet/tasks.h"

#include <memory>
#include <vector>

#include <fmt/format.h>

namespace parallax::fleet {

void for_each_task(Executor& executor, std::string_view name, std::size_t count,
                   const std::function<void(std::size_t index)>& body) {
  std::vector<std::unique_ptr<Task>> tasks;
  for (std::size_t i = 0; i < count; ++i) {
    tasks.push_back(
        executor.spawn(fmt::format("{}-{}", name, i), [&body, i](const std::stop_token& /*stop*/) { body(i); }));
  }
  for (const auto& task : tasks) {
    task->join();
  }
}

}  // namespace parallax::fleet
