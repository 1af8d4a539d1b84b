// Several writers at once, as --output and --exec name them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/args.h"
#include "cli/world.h"
#include "cli/writers/writer.h"

namespace parallax::cli {

// --output (a list) and --exec (a list).
std::vector<Option> output_options();

// The URL of `--output submit=URL`, the same as --collector URL; empty where there is none. Error: invalid, where it
// is not of that form or both are given.
Result<std::string> submit_target(const Arguments& arguments);

class Outputs {
 public:
  // Opens the files and starts the programs; without any --output a table goes to standard output. A file that exists
  // is not touched. Error: invalid.
  static Result<Outputs> open(const Arguments& arguments, World& world);

  // Each writer gets it; what one of them cannot keep is said once, and does not keep it from the others.
  void write(const Measurement& measurement);
  // Ends all. False where something was not kept, which has been said.
  bool finish();

 private:
  struct Output {
    std::string name;
    std::unique_ptr<MeasurementWriter> writer;
    bool failed = false;
  };

  static void tell(Output& output, const Result<>& result);

  std::vector<Output> outputs_;
};

}  // namespace parallax::cli
