#include "cli/writers/outputs.h"

#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/writers/exec.h"
#include "cli/writers/local_time.h"

namespace parallax::cli {

namespace {

constexpr std::string_view kSubmit = "submit";

Result<> to_stdout(std::string_view text) {
  return print(text) ? Result<>() : Result<>(make_error(ErrorKind::unavailable, "nobody reads standard output"));
}

bool exists(World& world, const std::string& path) {
  const Result<std::string> look = world.files.read(path, 0);
  return look || look.error().kind != ErrorKind::not_found;
}

Result<TextSink> file_sink(World& world, const std::string& name) {
  const std::string path = TRY(with_time_marks(name, world.clock.now()));
  if (path.empty()) {
    return make_error(ErrorKind::invalid, "--output: the name of a file is missing after '='");
  }
  if (exists(world, path)) {
    return make_error(ErrorKind::invalid,
                      fmt::format("--output: {} exists already and is left as it is; give another name, or one with "
                                  "time marks such as %Y-%m-%dT%H%M%S",
                                  terminal_safe(path, 300)));
  }
  if (const std::size_t slash = path.rfind('/'); slash != std::string::npos && slash > 0) {
    if (const Result<> made = world.files.make_directories(path.substr(0, slash), 0755); !made) {
      return make_error(ErrorKind::invalid, "--output: " + made.error().text());
    }
  }
  Result<std::unique_ptr<AppendFile>> opened = world.files.open_append(path, 0644);
  if (!opened) {
    return make_error(ErrorKind::invalid, "--output: " + opened.error().text());
  }
  const std::shared_ptr<AppendFile> file = std::move(opened).value();
  return TextSink([file](std::string_view text) { return file->append(text); });
}

}  // namespace

std::vector<Option> output_options() {
  return {Option{"--output", OptionKind::list, "FORMAT[=FILE]",
                 "table (default), ndjson, csv, servicemon-csv, none, or submit=URL; repeatable"},
          Option{"--exec", OptionKind::list, "CMD",
                 "a program that gets every record as a line of JSON on its standard input; repeatable"}};
}

Result<std::string> submit_target(const Arguments& arguments) {
  std::string target = arguments.value_or("--collector", "");
  for (const std::string& output : arguments.list("--output")) {
    const std::string_view text = output;
    const std::size_t equals = std::min(text.find('='), text.size());
    if (text.substr(0, equals) != kSubmit) {
      continue;
    }
    if (equals + 1 >= text.size()) {
      return make_error(ErrorKind::invalid, "--output: 'submit' needs the collector's address: submit=URL");
    }
    if (!target.empty()) {
      return make_error(ErrorKind::invalid, "results go to one collector only; give --collector or submit=URL once");
    }
    target = text.substr(equals + 1);
  }
  return target;
}

Result<Outputs> Outputs::open(const Arguments& arguments, World& world) {
  // All is checked before the first file is made.
  std::vector<std::pair<const WriterKind*, std::string>> wanted;
  for (const std::string& output : arguments.list("--output")) {
    const std::size_t equals = std::min(output.find('='), output.size());
    if (output.substr(0, equals) == kSubmit) {
      continue;
    }
    const WriterKind* kind = TRY(writer_kind(output.substr(0, equals)));
    wanted.emplace_back(kind, output.substr(equals));
  }
  if (arguments.list("--output").empty()) {
    wanted.emplace_back(TRY(writer_kind("table")), "");
  }
  Outputs outputs;
  bool on_stdout = false;
  for (const auto& [kind, target] : wanted) {
    if (target.empty() && kind->name != "none" && std::exchange(on_stdout, true)) {
      return make_error(ErrorKind::invalid, "--output: two formats would mix on standard output; give one a =FILE");
    }
    const TextSink sink = target.empty() ? TextSink(to_stdout) : TRY(file_sink(world, target.substr(1)));
    outputs.outputs_.push_back({fmt::format("--output {}{}", kind->name, target), kind->make(sink), false});
  }
  int number = 0;
  for (const std::string& command : arguments.list("--exec")) {
    const std::string undelivered = TRY(
        with_time_marks(fmt::format("parallax-undelivered-%Y%m%dT%H%M%S.%f-{}.ndjson", ++number), world.clock.now()));
    outputs.outputs_.push_back({"--exec", TRY(make_exec_writer(command, undelivered, world)), false});
  }
  return outputs;
}

void Outputs::tell(Output& output, const Result<>& result) {
  if (!result && !std::exchange(output.failed, true)) {
    log::error(output.name == "--exec" ? result.error().text()
                                       : fmt::format("{}: {}", output.name, result.error().text()));
  }
}

void Outputs::write(const Measurement& measurement) {
  for (Output& output : outputs_) {
    tell(output, output.writer->write(measurement));
  }
}

bool Outputs::finish() {
  bool kept = true;
  for (Output& output : outputs_) {
    tell(output, output.writer->finish());
    kept = kept && !output.failed;
  }
  return kept;
}

}  // namespace parallax::cli
