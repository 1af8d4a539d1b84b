// parallax fleet policy

#include <fmt/format.h>

#include "base/log.h"
#include "cli/fleet_commands.h"
#include "cli/fleet_spec.h"
#include "codec/json.h"
#include "fleet/policy.h"

namespace parallax::cli {

namespace {

constexpr Micros kIdentityTimeout{Seconds(30)};
constexpr std::size_t kAccountDigits = 12;

struct Account {
  std::string id, partition;
};

Result<Account> given_account(const std::string& id, const Arguments& arguments) {
  if (id.size() != kAccountDigits || id.find_first_not_of("0123456789") != std::string::npos) {
    return make_error(ErrorKind::invalid, fmt::format("--account: '{}' is not an account's 12 digits", id));
  }
  return Account{id, arguments.value_or("--partition", "aws")};
}

// Whose credentials these are; needs no right.
Result<Account> own_account(const Arguments& arguments, World& world, const Config& config) {
  AwsSession session = TRY(open_aws(arguments, world));
  Result<> credentials = require_credentials(session, world);
  if (!credentials) {
    Error error = credentials.error();
    error.message += "; or name the account with --account";
    return error;
  }
  aws::CallOptions options;
  options.deadline = world.clock.monotonic() + kIdentityTimeout;
  options.stop = world.stop;
  const Json who = TRY(session.client->call({"sts", config.fleet.home}, "GetCallerIdentity", Json::object(), options));
  const std::string arn = who.text("Arn");
  const std::size_t begin = arn.find(':') + 1;
  return Account{who.text("Account"), arn.substr(begin, arn.find(':', begin) - begin)};
}

// The whole, or the part that is asked for.
Result<Json> document(const Arguments& arguments, const fleet::Spec& spec, fleet::PolicyFor whom,
                      const Account& account) {
  std::vector<Json> parts = fleet::policy_parts(spec, whom, account.id, account.partition);
  if (const std::optional<std::string> part = arguments.value("--part")) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (*part == std::to_string(i + 1)) {
        return std::move(parts[i]);
      }
    }
    return make_error(ErrorKind::invalid, fmt::format("--part: '{}' is none of 1 to {}", *part, parts.size()));
  }
  if (parts.size() > 1) {
    log::note(
        fmt::format("this is longer than the {} characters of a managed policy; make {} of it, with --part 1 to "
                    "--part {}, and attach them all",
                    fleet::kManagedPolicyMax, parts.size(), parts.size()));
  }
  return fleet::policy_document(spec, whom, account.id, account.partition);
}

// Without `whom`: all.
Result<int> policy(const Arguments& arguments, World& world, std::optional<fleet::PolicyFor> whom) {
  const std::string path = arguments.value_or("--config", "parallax.toml");
  const bool trust = arguments.has("--trust");
  const Config config = TRY(load_config(world.files, path));
  const fleet::Spec spec = TRY(make_spec(world.files, config, path));
  const std::optional<std::string> id = arguments.value("--account");
  const Account account = TRY(id ? given_account(*id, arguments) : own_account(arguments, world, config));
  if (whom) {
    print((trust ? fleet::trust_document(*whom, account.id, account.partition)
                 : TRY(document(arguments, spec, *whom, account)))
              .pretty() +
          "\n");
    return 0;
  }
  Json all = Json::object();
  for (const fleet::PolicyFor each : fleet::kPolicies) {
    all.set(std::string(to_string(each)), fleet::policy_document(spec, each, account.id, account.partition));
  }
  print(all.pretty() + "\n");
  return 0;
}

}  // namespace

Command fleet_policy_command() {
  const std::vector<Option> options =
      std::vector{
          Option{"--config", OptionKind::value, "FILE", "the configuration (default parallax.toml)"},
          Option{"--account", OptionKind::value, "ID", "the account's number (default: that of the credentials)"},
          Option{"--partition", OptionKind::value, "NAME", "with --account: aws (default), aws-cn, aws-us-gov"}} +
      aws_options();
  std::vector<Command> words;
  for (const fleet::PolicyFor whom : fleet::kPolicies) {
    const bool role = whom == fleet::PolicyFor::machine || whom == fleet::PolicyFor::scheduler;
    std::vector<Option> own = options;
    own.push_back(Option{"--part", OptionKind::value, "N", "one part of a policy too long for one managed policy"});
    if (role) {
      own.push_back(Option{"--trust", OptionKind::flag, "", "who may assume the role"});
    }
    const std::string name(to_string(whom));
    words.push_back(Command{name,
                            role ? "of the role '" + name + "'" : "of whoever runs what '" + name + "' stands for",
                            own,
                            [whom](const Arguments& arguments, World& world) { return policy(arguments, world, whom); },
                            {}});
  }
  return Command{"policy", "least-privilege IAM policies, as JSON; all of them, or one", options,
                 [](const Arguments& arguments, World& world) { return policy(arguments, world, std::nullopt); },
                 std::move(words)};
}

}  // namespace parallax::cli
