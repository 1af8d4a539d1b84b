#include "aws/protocol/errors.h"

#include <gtest/gtest.h>

#include "aws/protocol/protocol.h"

namespace parallax::aws {
namespace {

http::Response answer(int status, std::string body,
                      std::initializer_list<std::pair<std::string, std::string>> headers = {}) {
  http::Response response;
  response.status = status;
  response.body = std::move(body);
  for (const auto& [name, value] : headers) {
    response.headers.add(name, value);
  }
  return response;
}

TEST(KindOf, NamesWhatACallerDoesAboutACode) {
  const struct {
    const char* code;
    int status;
    ErrorKind kind;
  } kRows[] = {
      {"RequestLimitExceeded", 503, ErrorKind::throttled},
      {"ThrottlingException", 400, ErrorKind::throttled},
      {"", 429, ErrorKind::throttled},
      {"UnauthorizedOperation", 403, ErrorKind::denied},
      {"AuthFailure", 401, ErrorKind::denied},
      {"AccessDeniedException", 400, ErrorKind::denied},
      {"InvalidInstanceID.NotFound", 400, ErrorKind::not_found},
      {"InvocationDoesNotExist", 400, ErrorKind::not_found},
      {"NoSuchEntity", 404, ErrorKind::not_found},
      {"IncorrectInstanceState", 400, ErrorKind::conflict},
      {"IncorrectState", 400, ErrorKind::conflict},
      {"InvalidGroup.Duplicate", 400, ErrorKind::conflict},
      {"EntityAlreadyExists", 409, ErrorKind::conflict},
      {"VcpuLimitExceeded", 400, ErrorKind::conflict},
      {"LimitExceeded", 409, ErrorKind::conflict},
      {"LimitExceededException", 400, ErrorKind::throttled},
      {"DryRunOperation", 412, ErrorKind::conflict},
      {"InternalServerError", 500, ErrorKind::unavailable},
      {"InsufficientInstanceCapacity", 500, ErrorKind::unavailable},
      {"InsufficientHostCapacity", 400, ErrorKind::unavailable},
      {"ReservationCapacityExceeded", 400, ErrorKind::conflict},
      {"", 502, ErrorKind::unavailable},
      {"", 302, ErrorKind::unavailable},
      {"InvalidParameterValue", 400, ErrorKind::invalid},
      {"SomethingNew", 400, ErrorKind::invalid},
  };

  for (const auto& row : kRows) {
    EXPECT_EQ(to_string(kind_of(row.code, row.status)), to_string(row.kind)) << row.code << " " << row.status;
  }
}

TEST(ParseError, ReadsAnEc2ErrorDocument) {
  const Error error =
      parse_error(*find_service("ec2"),
                  answer(400,
                         "<?xml version=\"1.0\"?><Response><Errors><Error><Code>InvalidInstanceID.NotFound</Code>"
                         "<Message>The instance ID 'i-1' does not exist</Message></Error></Errors>"
                         "<RequestID>1f0c9a62</RequestID></Response>"));
  EXPECT_EQ(error.kind, ErrorKind::not_found);
  EXPECT_EQ(error.status, 400);
  EXPECT_EQ(error.code, "InvalidInstanceID.NotFound");
  EXPECT_EQ(error.request_id, "1f0c9a62");
  EXPECT_EQ(error.message, "InvalidInstanceID.NotFound: The instance ID 'i-1' does not exist");
}

TEST(ParseError, ReadsAQueryErrorDocument) {
  const Error error =
      parse_error(*find_service("iam"),
                  answer(404,
                         "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>"
                         "<Code>NoSuchEntity</Code><Message>no role</Message></Error><RequestId>r-2</RequestId>"
                         "</ErrorResponse>"));
  EXPECT_EQ(error.code, "NoSuchEntity");
  EXPECT_EQ(error.request_id, "r-2");
  EXPECT_EQ(error.kind, ErrorKind::not_found);
}

TEST(ParseError, ReadsAJsonError) {
  const Error error = parse_error(
      *find_service("ssm"),
      answer(400, R"({"__type":"com.amazon#InvocationDoesNotExist","Message":"gone"})", {{"x-amzn-RequestId", "r-3"}}));
  EXPECT_EQ(error.code, "InvocationDoesNotExist");
  EXPECT_EQ(error.message, "InvocationDoesNotExist: gone");
  EXPECT_EQ(error.request_id, "r-3");
  const Error by_header = parse_error(
      *find_service("ssm"),
      answer(400, R"({"message":"slow"})", {{"X-Amzn-ErrorType", "ThrottlingException:http://x.example/doc"}}));
  EXPECT_EQ(by_header.code, "ThrottlingException");
  EXPECT_EQ(by_header.kind, ErrorKind::throttled);
}

TEST(ParseError, JudgesAForeignPageByItsStatus) {
  for (const char* service : {"ec2", "iam", "ssm"}) {
    for (const char* body : {"", "<html><body>Bad gateway", "{", "[1]"}) {
      const Error error = parse_error(*find_service(service), answer(502, body));
      EXPECT_EQ(error.kind, ErrorKind::unavailable);
      EXPECT_EQ(error.code, "");
      EXPECT_EQ(error.message, "HTTP status 502 without an error code of the service");
    }
  }
}

TEST(ParseError, MakesHostileTextSafe) {
  const Error error = parse_error(*find_service("ssm"), answer(400, R"({"__type":"A","message":"\u001b[2Jx"})"));
  EXPECT_EQ(error.message.find('\x1b'), std::string::npos);
}

TEST(ParseError, ReadsHowLongToWait) {
  const ServiceModel& ssm = *find_service("ssm");
  const auto wait = [&](std::initializer_list<std::pair<std::string, std::string>> headers) {
    return parse_error(ssm, answer(503, "", headers)).retry_after_ms;
  };
  EXPECT_EQ(wait({{"Retry-After", "5"}}), 5000);
  EXPECT_EQ(wait({{"x-amz-retry-after", "1500"}, {"Retry-After", "9"}}), 1500);
  EXPECT_EQ(wait({{"Retry-After", "Sun, 22 Nov 2026 10:00:30 GMT"}, {"Date", "Sun, 22 Nov 2026 10:00:00 GMT"}}), 30000);
  EXPECT_EQ(wait({{"Retry-After", "-5"}}), 0);
  EXPECT_EQ(wait({{"Retry-After", "soon"}}), 0);
  EXPECT_EQ(wait({}), 0);
}

}  // namespace
}  // namespace parallax::aws
