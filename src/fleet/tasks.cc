#include "fleet/tasks.h"

#include <algorithm>
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

void at_once(Executor& executor, std::size_t count, const std::function<void(std::size_t index)>& body) {
  if (count == 1) {
    body(0);
    return;
  }
  const std::size_t workers = std::min(count, kAtOnceMax);
  for_each_task(executor, "call", workers, [&](std::size_t worker) {
    for (std::size_t i = worker; i < count; i += workers) {
      body(i);
    }
  });
}

}  // namespace parallax::fleet
