// Waiting for a state, as the models' waiters describe it (waiters-2.json): poll an operation, look at each answer with
// the waiter's acceptors, until one of them says success or failure.
#pragma once

#include <string_view>

#include "aws/client.h"

namespace parallax::aws {

// Polls until the waiter named `waiter` ("InstanceRunning"; a name without regard to capitals, or with dashes as
// "instance-running", is understood) has succeeded. The first poll is sent at once; the pauses grow from two seconds to
// the model's own delay, within bounds, with a little jitter. `options.deadline` decides how long to wait: the model's
// number of attempts does not (ten minutes are too short for an image's copy to another region). An answer that says
// "throttled" or "cannot answer now" after the client's own retries does not end the wait.
//
// The last answer; null where an expected error was the success (the thing is gone).
// Errors, with the context "waiting for ec2:InstanceRunning in eu-west-3":
//   invalid  code "unknown-waiter" (near names are suggested); code "bad-waiter": the model's waiter has an expression
//   or a
//            matcher that we cannot evaluate; an unknown service. Nothing was sent.
//   timeout  code "waiter-deadline": the deadline passed; the message says what was last seen
//   conflict code "waiter-failed": an acceptor said that the state can no longer be reached; the message says which. A
//            failure that is an error of the service keeps that error's kind, status and request id.
//   cancelled, and what Client::call() says where no acceptor knows the error.
Result<Json> wait(Client& client, const CallTarget& target, std::string_view waiter, const Json& params,
                  const CallOptions& options);

}  // namespace parallax::aws
