// parallax serve: collector, API and page.

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/secrets.h"
#include "cli/serving.h"
#include "cli/version.h"
#include "http/server.h"

namespace parallax::cli {

Result<ListenAddress> parse_listen(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return make_error(ErrorKind::invalid,
                      fmt::format("--listen: '{}' is not ADDRESS:PORT, such as 127.0.0.1:8321", text));
  }
  ListenAddress listen;
  std::string_view address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  }
  listen.address = address.empty() ? "127.0.0.1" : address == "localhost" ? "127.0.0.1" : std::string(address);
  Arguments port;
  port.values["--listen"] = {std::string(text.substr(colon + 1))};
  const Result<std::int64_t> number = port.integer("--listen", 0, 0, 65535);
  if (!number) {
    return make_error(ErrorKind::invalid,
                      fmt::format("--listen: '{}' is not a port from 0 to 65535", text.substr(colon + 1)));
  }
  listen.port = static_cast<int>(*number);
  return listen;
}

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1";
}

namespace {

Result<http::ServerOptions> server_options(const Arguments& arguments, World& world, const ListenAddress& listen) {
  http::ServerOptions options;
  options.address = listen.address;
  options.port = listen.port;
  const std::optional<std::string> certificate = arguments.value("--tls-cert");
  const std::optional<std::string> key = arguments.value("--tls-key");
  if (certificate.has_value() != key.has_value()) {
    return make_error(ErrorKind::invalid, "--tls-cert and --tls-key go together");
  }
  if (certificate) {
    options.certificate_pem = TRY(read_input(world, *certificate));
    options.private_key_pem = TRY(read_secret_file(world, *key));
  } else if (!is_loopback(listen.address) && !arguments.has("--behind-proxy")) {
    return make_error(ErrorKind::invalid,
                      fmt::format("--listen {}: tokens would travel in clear; give --tls-cert and --tls-key, or say "
                                  "--behind-proxy where a proxy in front speaks TLS",
                                  listen.address));
  }
  return options;
}

// --bundle: read whole, so that what is handed out stays what was looked at.
Result<std::unique_ptr<collector::BundleShelf>> read_bundles(const Arguments& arguments, World& world) {
  std::vector<collector::Bundle> bundles;
  for (const std::string& path : arguments.list("--bundle")) {
    Result<std::string> archive = world.files.read(path, collector::kBundleBytesMax);
    if (!archive) {
      Error error = archive.error();
      error.kind = ErrorKind::invalid;
      return error;
    }
    bundles.push_back(TRY(collector::open_bundle(*std::move(archive)).with_context("reading " + path)));
  }
  return collector::BundleShelf::make(std::move(bundles)).with_context("reading --bundle");
}

Result<int> serve(const Arguments& arguments, World& world) {
  const ListenAddress listen = TRY(parse_listen(arguments.value_or("--listen", "127.0.0.1:8321")));
  http::ServerOptions options = TRY(server_options(arguments, world, listen));
  const std::unique_ptr<store::Store> database =
      TRY(store::open_store(arguments.value_or("--database", "sqlite:parallax.db")));
  collector::CollectorOptions collecting;
  // Behind a proxy, "loopback" says nothing about who asks.
  collecting.reading_open = is_loopback(listen.address) && !arguments.has("--behind-proxy");
  collecting.allowed_hosts = arguments.list("--host");
  collecting.build = kBuild;
  const std::unique_ptr<collector::BundleShelf> bundles = TRY(read_bundles(arguments, world));
  collector::Collector collector(*database, world.clock, std::move(collecting), bundles.get());
  const std::unique_ptr<http::Server> server = TRY(http::start_server(options, collector));
  log::note(fmt::format("collector on {}", server->base_url()));
  for (const collector::Bundle& bundle : bundles->bundles()) {
    log::note(fmt::format("bundle of build {}: {:.1f} MB, sha256 {}", bundle.build,
                          static_cast<double>(bundle.archive->size()) / 1e6, bundle.sha256));
  }
  wait_for_stop(world);
  server->stop();
  log::note("collector stopped");
  return 0;
}

}  // namespace

Result<std::string> link_program(World& world, const std::string& directory) {
  const std::string bin = directory + "/bin";
  TRY(world.files.make_directories(bin, 0755));
  std::error_code failure;
  std::filesystem::create_symlink(world.program, bin + "/parallax", failure);
  if (failure) {
    return make_error(ErrorKind::unavailable, fmt::format("{}/parallax: {}", bin, failure.message()));
  }
  return bin;
}

void wait_for_stop(World& world) {
  while (world.clock.sleep_for(std::chrono::hours(24), world.stop)) {
  }
}

Command serve_command() {
  return Command{
      "serve",
      "the collector: takes measurements in, serves API and page",
      {Option{"--database", OptionKind::value, "URL", "sqlite:FILE (default sqlite:parallax.db)"},
       Option{"--listen", OptionKind::value, "ADDR:PORT", "default 127.0.0.1:8321; port 0 takes a free one"},
       Option{"--tls-cert", OptionKind::value, "FILE", "PEM certificate chain"},
       Option{"--tls-key", OptionKind::value, "FILE", "PEM private key, mode 0600"},
       Option{"--behind-proxy", OptionKind::flag, "", "a proxy in front speaks TLS: plain HTTP is right here"},
       Option{"--host", OptionKind::list, "NAME", "a host name under which it may be asked; repeatable"},
       Option{"--bundle", OptionKind::list, "FILE", "hand out this bundle of the program to machines; repeatable"}},
      serve,
      {}};
}

}  // namespace parallax::cli
