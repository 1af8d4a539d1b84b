// parallax sim vo: mock VO services, good and bad, for anybody's clients.

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/log.h"
#include "base/mutex.h"
#include "cli/commands.h"
#include "cli/serving.h"
#include "cli/table.h"
#include "http/server.h"
#include "sim/vo/case_script.h"
#include "sim/vo/mock_service.h"

namespace parallax::cli {

namespace {

constexpr std::size_t kBodyFileMax = 64U << 20U;
constexpr int kHandlers = 32;  // each request that waits for a job holds one

Result<std::vector<sim::VoCase>> read_cases(const Arguments& arguments, World& world) {
  std::vector<sim::VoCase> cases;
  if (const std::optional<std::string> path = arguments.value("--script")) {
    const std::filesystem::path beside = std::filesystem::path(*path).parent_path();
    const std::string text = TRY(read_input(world, *path));
    cases = TRY(sim::parse_case_script(*path, text, [&](const std::string& name) {
      return world.files.read((beside / name).string(), kBodyFileMax);
    }));
  }
  // A case of the user's takes the place of ours of that name.
  for (const sim::VoCase& one : sim::all_cases()) {
    if (std::ranges::find(cases, one.name, &sim::VoCase::name) == cases.end()) {
      cases.push_back(one);
    }
  }
  return cases;
}

std::string path_of(const sim::VoCase& one) {
  return fmt::format("/case/{}/{}", one.name, one.kind == sim::CaseKind::cone ? "scs" : "tap");
}

Json json_of(const sim::VoCase& one) {
  Json out = Json::object();
  out.set("name", one.name);
  out.set("row", one.row == 0 ? Json() : Json(one.row));
  out.set("type", sim::to_string(one.kind));
  out.set("path", path_of(one));
  out.set("serves", one.serves);
  const sim::Expected& expected = one.expected;
  const auto text = [](const std::string& word) { return word.empty() ? Json() : Json(word); };
  out.set("verdict", text(expected.verdict));
  out.set("code", text(expected.code));
  out.set("rows", expected.rows ? Json(*expected.rows) : Json());
  out.set("finding", text(expected.finding));
  out.set("entry", text(one.entry));
  return out;
}

void list_cases(const std::vector<sim::VoCase>& cases, bool as_json) {
  if (as_json) {
    std::string lines;
    for (const sim::VoCase& one : cases) {
      lines += json_of(one).dump() + "\n";
    }
    print(lines);
    return;
  }
  Table table({"row>", "case", "type", "serves", "verdict", "code", "rows>", "finding"});
  for (const sim::VoCase& one : cases) {
    const sim::Expected& expected = one.expected;
    table.add({one.row == 0 ? "" : std::to_string(one.row), one.name, std::string(sim::to_string(one.kind)), one.serves,
               expected.verdict, expected.code, expected.rows ? std::to_string(*expected.rows) : "", expected.finding});
  }
  print(table.text());
}

// Appends a document a request; after a line that could not be written, no more are.
Result<std::function<void(const sim::MockRequest&)>> log_to(World& world, const std::string& path) {
  struct Log {
    Mutex mutex;
    std::unique_ptr<AppendFile> file GUARDED_BY(mutex);
    bool failed GUARDED_BY(mutex) = false;
  };

  auto lines = std::make_shared<Log>();
  {
    const MutexLock lock(lines->mutex);
    lines->file = TRY(world.files.open_append(path, 0644));
  }
  return std::function<void(const sim::MockRequest&)>([lines, path](const sim::MockRequest& seen) {
    Json line = Json::object();
    line.set("at", to_iso8601(seen.at));
    line.set("peer", seen.peer);
    line.set("method", seen.method);
    line.set("target", seen.target);
    line.set("user_agent", seen.user_agent);
    line.set("form", seen.form);
    line.set("case", seen.case_name.empty() ? Json() : Json(seen.case_name));
    line.set("status", seen.status == 0 ? Json() : Json(seen.status));
    const MutexLock lock(lines->mutex);
    if (lines->failed) {
      return;
    }
    if (const Result<> written = lines->file->append(line.dump() + "\n"); !written) {
      lines->failed = true;
      log::error(fmt::format("--log {}: {}", path, written.error().text()));
    }
  });
}

Result<int> sim_vo(const Arguments& arguments, World& world) {
  sim::MockOptions options;
  options.cases = TRY(read_cases(arguments, world));
  if (arguments.has("--list")) {
    list_cases(options.cases, arguments.has("--json"));
    return 0;
  }
  if (arguments.has("--json")) {
    return make_error(ErrorKind::invalid, "--json goes with --list");
  }
  const ListenAddress listen = TRY(parse_listen(arguments.value_or("--listen", "127.0.0.1:4600")));
  if (!is_loopback(listen.address)) {
    return make_error(ErrorKind::invalid,
                      fmt::format("--listen {}: the mock services listen on loopback only", listen.address));
  }
  options.rows_max = TRY(arguments.integer("--rows-max", 1000, 1, 1'000'000));
  if (const std::optional<std::string> path = arguments.value("--log")) {
    options.log = TRY(log_to(world, *path));
  }
  http::ServerOptions server_options;
  server_options.address = listen.address;
  server_options.port = listen.port;
  server_options.handler_threads = kHandlers;
  server_options.server_name = "parallax-sim-vo";
  const std::size_t count = options.cases.size();
  sim::MockService service(world.clock, std::move(options));
  const std::unique_ptr<http::Server> server = TRY(http::start_server(server_options, service));
  log::note(fmt::format("mock VO services on {}", server->base_url()));
  print(
      fmt::format("cone  {0}/scs?RA=101&DEC=-16&SR=10\n"
                  "TAP   {0}/tap   SELECT * FROM stars\n"
                  "cases {0}/case/NAME/scs or /case/NAME/tap: {1} of them, see --list\n",
                  server->base_url(), count));
  wait_for_stop(world);
  return 0;
}

}  // namespace

Command sim_vo_command() {
  return Command{
      "vo",
      "mock VO services over HTTP, well-behaved and bad in every known way, to try clients against",
      {Option{"--listen", OptionKind::value, "ADDR:PORT",
              "loopback only; default 127.0.0.1:4600; port 0 takes a free one"},
       Option{"--script", OptionKind::value, "FILE", "cases of your own (TOML)"},
       Option{"--rows-max", OptionKind::value, "N", "row limit of the well-behaved services (default 1000)"},
       Option{"--log", OptionKind::value, "FILE", "each request, a JSON document a line, appended"},
       Option{"--list", OptionKind::flag, "", "list the cases with what a careful client makes of each, and end"},
       Option{"--json", OptionKind::flag, "", "with --list: a JSON document a line"}},
      sim_vo,
      {}};
}

}  // namespace parallax::cli
