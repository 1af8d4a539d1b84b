// What `parallax probe` is to ask: an order made of its options.
#pragma once

#include <string>

#include "base/error.h"
#include "cli/args.h"
#include "cli/world.h"
#include "probe/service_file.h"
#include "record/order.h"

namespace parallax::cli {

// Everything is read and checked. Error: invalid, naming file and place, or the option.
Result<Order> order_from_arguments(const Arguments& arguments, World& world);
// What --services names: a list, or a directory of them. Error: invalid.
Result<ServiceList> services_at(World& world, const std::string& path);
// The run's names, collector and token, as the options say.
Result<> name_run(const Arguments& arguments, World& world, Order& order);

}  // namespace parallax::cli
