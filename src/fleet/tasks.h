// All regions at once: one task for each index.
#pragma once

#include <functional>
#include <string_view>

#include "base/executor.h"

namespace parallax::fleet {

// Runs `body` for 0 to count - 1, each as a task of its own, and waits for all.
void for_each_task(Executor& executor, std::string_view name, std::size_t count,
                   const std::function<void(std::size_t index)>& body);

// The same for many short calls to one region: kAtOnceMax side by side; one alone in the caller's own task.
inline constexpr std::size_t kAtOnceMax = 32;
void at_once(Executor& executor, std::size_t count, const std::function<void(std::size_t index)>& body);

}  // namespace parallax::fleet
