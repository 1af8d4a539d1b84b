#include <filesystem>

#include <fmt/format.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/secrets.h"
#include "collector/collector.h"
#include "record/token.h"
#include "store/store.h"

namespace parallax::cli {

namespace {

constexpr std::size_t kKeyBytesMax = 4096;

const Option kDatabase{"--database", OptionKind::value, "URL", "sqlite:FILE", true};

Result<int> create(const Arguments& arguments, World& world) {
  const std::string path = arguments.value_or("file", "");
  if (world.files.read(path, kKeyBytesMax)) {
    return make_error(ErrorKind::invalid,
                      fmt::format("{}: exists already and is not overwritten; choose another name", path));
  }
  const SigningKey key = TRY(make_signing_key());
  TRY(world.files.write(path, to_private_text(key), 0600));
  TRY(world.files.write(path + ".pub", to_public_text(key), 0644));
  log::note(
      fmt::format("{}: private key {}, mode 0600, for the controller alone\n{}.pub: its public half, for "
                  "'parallax keys add --database URL {}.pub' at the collector",
                  path, key.key_id, path, path));
  print(key.key_id + "\n");
  return 0;
}

Result<int> add(const Arguments& arguments, World& world) {
  const std::string path = arguments.value_or("file", "");
  const std::string text = TRY(read_input(world, path));
  const std::unique_ptr<store::Store> database = TRY(store::open_store(arguments.value_or("--database", "")));
  const std::string key_id =
      TRY(collector::add_public_key(*database, text, world.clock.now()).with_context("reading " + path));
  for (const KeyRecord& key : TRY(database->list_keys())) {
    if (key.key_id == key_id && key.retired_at) {
      return make_error(ErrorKind::conflict,
                        fmt::format("{}: key {} was retired {} and stays so; 'parallax keys create' makes another",
                                    path, key_id, to_iso8601_seconds(*key.retired_at)));
    }
  }
  print(key_id + "\n");
  return 0;
}

// What only reads or changes a database must not make one out of a mistyped name.
Result<std::unique_ptr<store::Store>> open_existing(const std::string& url) {
  constexpr std::string_view kSqlite = "sqlite:";
  if (url.starts_with(kSqlite)) {
    const std::string path = url.substr(kSqlite.size());
    if (std::error_code ignored; path != ":memory:" && !std::filesystem::exists(path, ignored)) {
      return make_error(ErrorKind::invalid, fmt::format("{}: there is no such database", path));
    }
  }
  return store::open_store(url);
}

Result<int> retire(const Arguments& arguments, World& world) {
  const std::unique_ptr<store::Store> database = TRY(open_existing(arguments.value_or("--database", "")));
  TRY(database->retire_key(arguments.value_or("key-id", ""), world.clock.now()));
  log::note("retired: tokens that it signed before are good until they expire, later ones are refused");
  return 0;
}

Result<int> list(const Arguments& arguments, World& /*world*/) {
  const std::unique_ptr<store::Store> database = TRY(open_existing(arguments.value_or("--database", "")));
  for (const KeyRecord& key : TRY(database->list_keys())) {
    print(fmt::format("{}  {}\n", key.key_id,
                      key.retired_at ? "retired " + to_iso8601_seconds(*key.retired_at) : "active"));
  }
  return 0;
}

Result<int> token(const Arguments& arguments, World& world) {
  const SigningKey key = TRY(read_signing_key(world, arguments.value_or("--key", "")));
  const std::string role_name = arguments.value_or("--role", "vantage");
  const std::optional<Role> role = parse_role(role_name);
  if (!role) {
    return make_error(ErrorKind::invalid,
                      fmt::format("--role: '{}' is not vantage, controller, read or admin", role_name));
  }
  TokenPayload payload;
  payload.role = *role;
  payload.fleet = arguments.value_or("--fleet", "");
  payload.vantage = arguments.value_or("--vantage", "");
  payload.run_id = arguments.value_or("--run-id", "");
  payload.not_before = world.clock.now();
  payload.expiry =
      payload.not_before + TRY(parse_duration(arguments.value_or("--valid", "1h")).with_context("reading --valid"));
  if (payload.role == Role::vantage && payload.vantage.empty()) {
    return make_error(ErrorKind::invalid, "--vantage: a token of role vantage names the one vantage that it is for");
  }
  const std::string signed_token = TRY(sign_token(payload, key)) + "\n";
  if (const std::optional<std::string> path = arguments.value("--out")) {
    // In one step: who reads the file finds the old token or the new one, never a part.
    TRY(world.files.write(*path, signed_token, 0600));
    log::note(
        fmt::format("{}: a token of role {}, good until {}", *path, role_name, to_iso8601_seconds(payload.expiry)));
  } else {
    print(signed_token);
  }
  return 0;
}

}  // namespace

Command keys_command() {
  const Option file{"file", OptionKind::value, "FILE", "the key: FILE is private, FILE.pub public", true, true};
  return Command{
      "keys",
      "keys that sign tokens, and tokens",
      {},
      nullptr,
      {
          Command{"create", "make a key: FILE (private, mode 0600) and FILE.pub", {file}, create, {}},
          Command{"add", "let a collector's database accept a public key", {kDatabase, file}, add, {}},
          Command{"retire",
                  "accept no new tokens of a key; older ones live until they expire",
                  {kDatabase, Option{"key-id", OptionKind::value, "KEYID", "as keys list shows it", true, true}},
                  retire,
                  {}},
          Command{"list", "the keys that a database knows", {kDatabase}, list, {}},
          Command{
              "token",
              "sign a token and print it, or write it to a file",
              {Option{"--key", OptionKind::value, "FILE", "the private key", true},
               Option{"--role", OptionKind::value, "ROLE", "vantage (default), controller, read, admin"},
               Option{"--fleet", OptionKind::value, "NAME", "the fleet it is for", true},
               Option{"--vantage", OptionKind::value, "NAME", "of role vantage: the vantage it is for"},
               Option{"--run-id", OptionKind::value, "ID",
                      "of role vantage: the run; without it any run of that vantage"},
               Option{"--valid", OptionKind::value, "TIME", "how long, such as 30m or 7d (default 1h, at most 31d)"},
               Option{"--out", OptionKind::value, "FILE",
                      "write it to FILE, mode 0600, replaced in one step, instead of printing it"}},
              token,
              {}},
      }};
}

}  // namespace parallax::cli
