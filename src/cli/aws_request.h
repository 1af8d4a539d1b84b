// What a line `parallax aws SERVICE OPERATION ...` asks for, read and checked before anything is sent.
#pragma once

#include <string>
#include <vector>

#include "aws/model/model.h"
#include "cli/args.h"
#include "cli/aws_session.h"
#include "cli/world.h"
#include "codec/json.h"

namespace parallax::cli {

struct AwsRequest {
  const aws::ServiceModel* model = nullptr;
  const aws::Operation* operation = nullptr;  // of a waiter: the one that it polls
  const aws::Waiter* waiter = nullptr;
  Json params = Json::object();
};

// The words and --params. Error: invalid; parameters that the model refuses are listed one a line, each with its path.
Result<AwsRequest> read_request(const Arguments& arguments, World& world);

// Where to ask. A service with one endpoint for a whole partition (IAM) is one place, "aws-global".
struct Place {
  std::string key;     // in the document: the region, or "aws-global"
  std::string region;  // of the call
};

// --region (repeatable), --all (the account's enabled regions, asked of EC2 in the default region), else the default
// region. Error: invalid, or what EC2 said.
Result<std::vector<Place>> places_of(const Arguments& arguments, const aws::ServiceModel& model, AwsSession& session,
                                     World& world, Monotonic deadline);

// `value` with what the model calls sensitive replaced, and what older models should: for showing a request.
// `is_secret`: all its text is.
Json hide_sensitive(const aws::Shape& shape, const Json& value, bool is_secret = false);

}  // namespace parallax::cli
