// What every command that talks to AWS needs: settings, where credentials come from, a client. One place reads
// --profile, --endpoint-url and --models, so that they mean the same everywhere.
#pragma once

#include <memory>
#include <vector>

#include "aws/client.h"
#include "aws/settings.h"
#include "cli/args.h"
#include "cli/world.h"

namespace parallax::cli {

struct AwsSession {
  aws::Settings settings;
  std::unique_ptr<aws::CredentialProvider> credentials;
  std::unique_ptr<aws::Client> client;  // uses `credentials`
};

// --profile, --endpoint-url, --models.
std::vector<Option> aws_options();

// --models, for what needs service models but no client. Error: invalid.
Result<> use_models(const Arguments& arguments, World& world);

// Asks nobody for credentials yet. `world` must outlive the session. Error: invalid (a setting that cannot be).
Result<AwsSession> open_aws(const Arguments& arguments, World& world);

// Asks for them once, so that missing credentials are one clear message and not one for each region. Error: invalid.
Result<> require_credentials(AwsSession& session, World& world);

}  // namespace parallax::cli
