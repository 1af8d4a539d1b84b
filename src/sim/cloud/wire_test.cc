#include "sim/cloud/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/cloud/operations.h"

namespace parallax::sim {
namespace {

using testing::HasSubstr;

// A small REST service. Lines in byte order of kind and name.
constexpr std::string_view kRest =
    "M\tnotes\t{\"apiVersion\":\"1\",\"protocol\":\"rest-json\",\"signingName\":\"notes\",\"endpointPrefix\":\"notes\"}"
    "\n"
    "O\tDropNote\t{\"http\":{\"method\":\"DELETE\",\"requestUri\":\"/notes/"
    "{Name}\"},\"input\":{\"shape\":\"Drop\"},\"errors\":[]}\n"
    "O\tGetFile\t{\"http\":{\"method\":\"GET\",\"requestUri\":\"/files/{Path+}/"
    "text\"},\"input\":{\"shape\":\"File\"},\"errors\":[]}\n"
    "O\tListNotes\t{\"http\":{\"method\":\"GET\",\"requestUri\":\"/"
    "notes\"},\"input\":{\"shape\":\"List\"},\"errors\":[]}\n"
    "O\tNewestNote\t{\"http\":{\"method\":\"GET\",\"requestUri\":\"/notes/newest\"},\"errors\":[]}\n"
    "O\tPutNote\t{\"http\":{\"method\":\"PUT\",\"requestUri\":\"/notes/{Name}\"},\"input\":{\"shape\":\"Put\"},"
    "\"output\":{\"shape\":\"PutAnswer\"},\"errors\":[\"Gone\"]}\n"
    "O\tReadNote\t{\"http\":{\"method\":\"GET\",\"requestUri\":\"/notes/"
    "{Name}\"},\"input\":{\"shape\":\"Read\"},\"errors\":[]}\n"
    "S\tDrop\t{\"type\":\"structure\",\"required\":[\"Name\"],\"members\":{\"Name\":{\"shape\":\"Text\",\"location\":"
    "\"uri\","
    "\"locationName\":\"Name\"},\"Tags\":{\"shape\":\"Texts\",\"location\":\"querystring\",\"locationName\":\"tag\"}}}"
    "\n"
    "S\tFile\t{\"type\":\"structure\",\"members\":{\"Path\":{\"shape\":\"Text\",\"location\":\"uri\",\"locationName\":"
    "\"Path\"}}}\n"
    "S\tGone\t{\"type\":\"structure\",\"members\":{\"Message\":{\"shape\":\"Text\"}},\"error\":{\"httpStatusCode\":410}"
    ","
    "\"exception\":true}\n"
    "S\tList\t{\"type\":\"structure\",\"members\":{\"Most\":{\"shape\":\"Small\",\"location\":\"querystring\","
    "\"locationName\":\"MaxResults\"}}}\n"
    "S\tPut\t{\"type\":\"structure\",\"required\":[\"Name\",\"Body\"],\"members\":{\"Name\":{\"shape\":\"Text\","
    "\"location\":"
    "\"uri\",\"locationName\":\"Name\"},\"Body\":{\"shape\":\"Text\"},\"At\":{\"shape\":\"When\"},\"Owner\":{\"shape\":"
    "\"Text\","
    "\"location\":\"header\",\"locationName\":\"x-owner\"}}}\n"
    "S\tPutAnswer\t{\"type\":\"structure\",\"members\":{\"Id\":{\"shape\":\"Text\"},\"Etag\":{\"shape\":\"Text\","
    "\"location\":"
    "\"header\",\"locationName\":\"ETag\"}}}\n"
    "S\tRead\t{\"type\":\"structure\",\"members\":{\"Name\":{\"shape\":\"Text\",\"location\":\"uri\",\"locationName\":"
    "\"Name\"}}}\n"
    "S\tSmall\t{\"type\":\"integer\",\"min\":1,\"max\":100}\n"
    "S\tText\t{\"type\":\"string\",\"max\":20}\n"
    "S\tTexts\t{\"type\":\"list\",\"member\":{\"shape\":\"Text\"}}\n"
    "S\tWhen\t{\"type\":\"timestamp\"}\n";

class RestTest : public testing::Test {
 protected:
  std::string route(std::string_view method, std::string_view target) const {
    const aws::Operation* operation = match_route(*model_, method, target);
    return operation == nullptr ? "" : operation->name;
  }

  Result<Json> decode(std::string method, std::string target, std::string body = "") const {
    http::Request request;
    request.method = std::move(method);
    request.url = std::move(target);
    request.body = std::move(body);
    request.headers.set("X-Owner", "me");
    const Result<const aws::Operation*> operation = find_requested(*model_, request);
    return operation ? decode_rest(*model_, **operation, request) : Result<Json>(operation.error());
  }

  std::unique_ptr<aws::ServiceModel> model_ = std::move(aws::load_service("notes", std::string(kRest))).value();
};

TEST_F(RestTest, FindsTheOperationByMethodAndPath) {
  EXPECT_EQ(route("GET", "/notes"), "ListNotes");
  EXPECT_EQ(route("GET", "/notes?MaxResults=5"), "ListNotes");
  EXPECT_EQ(route("DELETE", "/notes/a%2Fb"), "DropNote");
  EXPECT_EQ(route("GET", "/notes/newest"), "NewestNote");
  EXPECT_EQ(route("GET", "/notes/older"), "ReadNote");
  EXPECT_EQ(route("GET", "/files/a/b/text"), "GetFile");
  for (const char* target : {"/", "/notes/", "/notes/a/b", "/files/text", "/files/a/b", "", "notes/%zz?%"}) {
    EXPECT_EQ(route("GET", target), "") << target;
  }
  EXPECT_EQ(route("PATCH", "/notes/a"), "");
}

TEST_F(RestTest, TakesMembersFromPathQueryHeaderAndBody) {
  EXPECT_EQ(decode("PUT", "/notes/a%2Fb", R"({"Body":"x","At":1.5})")->dump(),
            R"({"Body":"x","At":1.5,"Name":"a/b","Owner":"me"})");
  EXPECT_EQ(decode("DELETE", "/notes/n?tag=a&tag=b%20c")->dump(), R"({"Name":"n","Tags":["a","b c"]})");
  EXPECT_EQ(decode("GET", "/files/a/b%20c/text")->dump(), R"({"Path":"a/b c"})");
  EXPECT_EQ(decode("GET", "/notes?MaxResults=5")->dump(), R"({"Most":5})");
}

TEST_F(RestTest, RefusesWhatTheModelDoesNotHave) {
  EXPECT_EQ(decode("GET", "/notes?Colour=1").error().code, "ValidationException");
  EXPECT_EQ(decode("GET", "/notes?MaxResults=x").error().code, "SerializationException");
  EXPECT_THAT(decode("GET", "/notes?MaxResults=101").error().message, HasSubstr("less than or equal to 100"));
  EXPECT_EQ(decode("GET", "/notes?MaxResults=1&MaxResults=2").error().code, "ValidationException");
  EXPECT_THAT(decode("PUT", "/notes/n", "{}").error().message, HasSubstr("'body'"));
  EXPECT_EQ(decode("PUT", "/notes/n", R"({"Body":"x","Name":"other"})").error().code, "ValidationException");
  EXPECT_EQ(decode("PUT", "/notes/n", R"({"Body":7})").error().code, "SerializationException");
  EXPECT_EQ(decode("POST", "/notes/n", "{}").error().status, 404);
}

TEST_F(RestTest, AnswersWithHeadersAndBody) {
  const http::Response response =
      encode_answer(*model_, *model_->find_operation("PutNote"), Json::object({{"Id", "7"}, {"Etag", "e"}}), "r-1");
  EXPECT_EQ(response.body, R"({"Id":"7"})");
  EXPECT_EQ(response.headers.get("etag"), "e");
  EXPECT_EQ(response.headers.get("x-amzn-requestid"), "r-1");
}

TEST_F(RestTest, AnErrorHasTheModelsStatusAndNamesItselfInAHeader) {
  const http::Response response = encode_error(*model_, client_error("Gone", "it was here"), "r-1");
  EXPECT_EQ(response.status, 410);
  EXPECT_EQ(response.headers.get("x-amzn-errortype"), "Gone");
  EXPECT_EQ(response.body, R"({"Message":"it was here"})");
}

TEST(WireQuery, ErrorsHaveTheModelsCodeAndStatus) {
  const aws::ServiceModel& iam = *aws::find_service("iam");
  const http::Response response = encode_error(iam, client_error("NoSuchEntityException", "no <role>"), "r-1");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body,
            "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type><Code>"
            "NoSuchEntity</Code><Message>no &lt;role&gt;</Message></Error><RequestId>r-1</RequestId></ErrorResponse>");
  EXPECT_EQ(encode_error(iam, client_error("NoSuchEntity", ""), "r-1").status, 404);
}

TEST(WireQuery, ReadsListsAndSaysWhatIsMissing) {
  const aws::ServiceModel& iam = *aws::find_service("iam");
  const aws::Operation& simulate = *iam.find_operation("SimulatePrincipalPolicy");
  EXPECT_EQ(decode_form(iam, simulate, "PolicySourceArn=arn%3Aaws%3Aiam%3A%3A1%3Auser%2Fa&ActionNames.member.1=a%3Ab")
                ->dump(),
            R"({"PolicySourceArn":"arn:aws:iam::1:user/a","ActionNames":["a:b"]})");
  EXPECT_EQ(
      decode_form(iam, simulate, "ActionNames.member.1=a%3Ab").error().message,
      "1 validation error detected: Value null at 'policySourceArn' failed to satisfy constraint: Member must not "
      "be null");
  EXPECT_EQ(decode_form(iam, *iam.find_operation("TagUser"), "UserName=a&Tags=")->dump(),
            R"({"UserName":"a","Tags":[]})");
  EXPECT_EQ(decode_form(iam, *iam.find_operation("TagUser"), "UserName=a&Tags.member=x").error().code,
            "ValidationError");
  EXPECT_EQ(decode_form(iam, *iam.find_operation("ListRoles"), "MaxItems=ten").error().code, "MalformedInput");
  EXPECT_EQ(decode_form(iam, *iam.find_operation("ListRoles"), "MaxItems").error().code, "MalformedQueryString");
  EXPECT_EQ(decode_form(iam, *iam.find_operation("ListRoles"), "PathPrefix=%ff").error().code, "MalformedQueryString");
}

TEST(WireQuery, WritesMaps) {
  const aws::ServiceModel& iam = *aws::find_service("iam");
  EXPECT_THAT(encode_xml(iam, *iam.find_operation("GetAccountSummary"),
                         Json::object({{"SummaryMap", Json::object({{"Users", 2}})}}), "r-1"),
              HasSubstr("<SummaryMap><entry><key>Users</key><value>2</value></entry></SummaryMap>"));
}

}  // namespace
}  // namespace parallax::sim
