#include "aws/protocol/rest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/model/pack.h"
#include "aws/model/validate.h"

namespace parallax::aws {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr std::string_view kModel = R"({
  "metadata": {"protocol": "rest-json", "apiVersion": "2020-02-02", "endpointPrefix": "lab"},
  "operations": {
    "Put": {"http": {"method": "PUT", "requestUri": "/things/{Name}/{Key+}?x-id=Put", "responseCode": 201},
            "input": {"shape": "PutIn"}, "output": {"shape": "PutOut"}},
    "Get": {"http": {"method": "GET", "requestUri": "/things"}, "input": {"shape": "GetIn"}, "output": {"shape": "Blob1"}},
    "Upload": {"http": {"requestUri": "/up"}, "input": {"shape": "Blob1"}, "output": {"shape": "Struct1"}},
    "Configure": {"http": {"requestUri": "/conf"}, "input": {"shape": "Struct1"}, "endpoint": {"hostPrefix": "data-"}},
    "Account": {"http": {"requestUri": "/"}, "input": {"shape": "AccountIn"}, "endpoint": {"hostPrefix": "{Id}.x."}},
    "Listen": {"http": {"requestUri": "/"}, "output": {"shape": "Streaming"}}},
  "shapes": {
    "PutIn": {"type": "structure", "required": ["Name", "Key"], "members": {
      "Name": {"shape": "Text", "location": "uri"}, "Key": {"shape": "Text", "location": "uri", "locationName": "Key"},
      "Mode": {"shape": "Text", "location": "header", "locationName": "X-Mode"},
      "When": {"shape": "Time", "location": "header", "locationName": "X-When"},
      "Parts": {"shape": "Texts", "location": "header", "locationName": "X-Parts"},
      "Extra": {"shape": "Anything", "location": "header", "locationName": "X-Extra", "jsonvalue": true},
      "Meta": {"shape": "TextMap", "location": "headers", "locationName": "x-meta-"},
      "Since": {"shape": "Time", "location": "querystring", "locationName": "since"},
      "Tags": {"shape": "Texts", "location": "querystring", "locationName": "tag"},
      "More": {"shape": "TextsMap", "location": "querystring"},
      "Dry": {"shape": "Flag", "location": "querystring", "locationName": "dry"},
      "Size": {"shape": "Number", "locationName": "size"}, "At": {"shape": "Time"},
      "Iso": {"shape": "IsoTime"}, "Any": {"shape": "Document"}, "One": {"shape": "Union"}}},
    "PutOut": {"type": "structure", "members": {
      "Status": {"shape": "Number", "location": "statusCode"},
      "Left": {"shape": "Number", "location": "header", "locationName": "X-Left"},
      "Good": {"shape": "Flag", "location": "header", "locationName": "X-Good"},
      "When": {"shape": "Time", "location": "header", "locationName": "X-When"},
      "Whens": {"shape": "Times", "location": "header", "locationName": "X-Whens"},
      "Parts": {"shape": "Texts", "location": "header", "locationName": "X-Parts"},
      "Extra": {"shape": "Anything", "location": "header", "locationName": "X-Extra", "jsonvalue": true},
      "Meta": {"shape": "TextMap", "location": "headers", "locationName": "x-meta-"},
      "Size": {"shape": "Number", "locationName": "size"}, "At": {"shape": "Time"}, "Any": {"shape": "Document"}}},
    "GetIn": {"type": "structure", "members": {"Max": {"shape": "Number", "location": "querystring", "locationName": "max"}}},
    "Blob1": {"type": "structure", "payload": "Data", "members": {
      "Data": {"shape": "Bytes"}, "Type": {"shape": "Text", "location": "header", "locationName": "Content-Type"}}},
    "Struct1": {"type": "structure", "payload": "Conf", "members": {"Conf": {"shape": "Inner"}}},
    "AccountIn": {"type": "structure", "required": ["Id"], "members": {"Id": {"shape": "Text", "hostLabel": true}}},
    "Streaming": {"type": "structure", "payload": "Events", "members": {"Events": {"shape": "Events"}}},
    "Events": {"type": "structure", "members": {"Inner": {"shape": "Inner"}}, "eventstream": true},
    "Inner": {"type": "structure", "members": {"A": {"shape": "Text", "locationName": "a"}}},
    "Document": {"type": "structure", "members": {}, "document": true},
    "Union": {"type": "structure", "members": {"A": {"shape": "Text"}, "B": {"shape": "Number"}}, "union": true},
    "Texts": {"type": "list", "member": {"shape": "Text"}}, "Times": {"type": "list", "member": {"shape": "Time"}},
    "TextMap": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Text"}},
    "TextsMap": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Texts"}},
    "Text": {"type": "string"}, "Anything": {"type": "string"}, "Number": {"type": "integer"}, "Flag": {"type": "boolean"},
    "Bytes": {"type": "blob"}, "Time": {"type": "timestamp"},
    "IsoTime": {"type": "timestamp", "timestampFormat": "iso8601"}}})";

const ServiceModel& lab() {
  static const std::unique_ptr<ServiceModel> kLab =
      load_service("lab", pack_service("lab", {parse_json(kModel).value(), {}, {}}, nullptr).value()).value();
  return *kLab;
}

Json json(std::string_view text) {
  const Result<Json> value = parse_json(text);
  EXPECT_TRUE(value.has_value()) << text;
  return value.value_or(Json());
}

Result<WireRequest> request_of(std::string_view operation, std::string_view params) {
  const Operation& known = *lab().find_operation(operation);
  EXPECT_THAT(validate(lab(), *known.input, json(params)), IsEmpty()) << params;
  return serialize(lab(), known, json(params));
}

Result<Json> result_of(std::string_view operation, int status, http::Headers headers, std::string body) {
  return parse_result(lab(), *lab().find_operation(operation), {status, std::move(headers), std::move(body)});
}

TEST(RestProtocol, PutsEachMemberWhereItBelongs) {
  const WireRequest request = request_of("Put", R"({
    "Name": "a b/ü", "Key": "/x//y z", "Mode": "m", "When": "2026-11-22T10:00:00Z", "Parts": ["p", "q,r", "s\"t"],
    "Extra": {"a": [1]}, "Meta": {"one": "1"}, "Since": "2026-11-22T10:00:00Z", "Tags": ["a&b", ""],
    "More": {"k": ["1", "2"]}, "Dry": true, "Size": 5, "At": "2026-11-22T10:00:00.5Z", "Iso": 0,
    "Any": [1, {"b": null}], "One": {"B": 1}})")
                                  .value();
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.path,
            "/things/a%20b%2F%C3%BC//x//y%20z?x-id=Put&since=2026-11-22T10%3A00%3A00Z&tag=a%26b&tag=&k=1&k=2&dry=true");
  EXPECT_THAT(request.headers,
              UnorderedElementsAre(Pair("X-Mode", "m"), Pair("X-When", "Sun, 22 Nov 2026 10:00:00 GMT"),
                                   Pair("X-Parts", "p,\"q,r\",\"s\\\"t\""), Pair("X-Extra", "eyJhIjpbMV19"),
                                   Pair("x-meta-one", "1"), Pair("Content-Type", "application/json")));
  EXPECT_EQ(json(request.body), json(R"({"size":5,"At":1795341600.5,"Iso":"1970-01-01T00:00:00Z",
                                         "Any":[1,{"b":null}],"One":{"B":1}})"));
}

TEST(RestProtocol, SendsABodyOnlyWhereMembersGoThere) {
  const WireRequest get = request_of("Get", R"({"Max":3})").value();
  EXPECT_EQ(get.path, "/things?max=3");
  EXPECT_EQ(get.body, "");
  EXPECT_THAT(get.headers, IsEmpty());
  const WireRequest put = request_of("Put", R"({"Name":"n","Key":"k"})").value();
  EXPECT_EQ(put.body, "{}");
  EXPECT_THAT(put.headers, ElementsAre(Pair("Content-Type", "application/json")));
}

TEST(RestProtocol, SendsAPayloadAsTheWholeBody) {
  EXPECT_EQ(request_of("Configure", R"({"Conf":{"A":"x"}})").value().body, R"({"a":"x"})");
  EXPECT_EQ(request_of("Configure", "{}").value().body, "{}");
  const WireRequest bytes = request_of("Upload", R"({"Data":"AAH/"})").value();
  EXPECT_EQ(bytes.body, std::string("\0\1\xFF", 3));
  EXPECT_THAT(bytes.headers, ElementsAre(Pair("Content-Type", "application/octet-stream")));
  const WireRequest typed = request_of("Upload", R"({"Data":"AAH/","Type":"image/fits"})").value();
  EXPECT_THAT(typed.headers, ElementsAre(Pair("Content-Type", "image/fits")));
}

TEST(RestProtocol, PutsLabelsBeforeTheHost) {
  EXPECT_EQ(request_of("Configure", "{}").value().host_prefix, "data-");
  EXPECT_EQ(request_of("Account", R"({"Id":"1234"})").value().host_prefix, "1234.x.");
  EXPECT_THAT(request_of("Account", R"({"Id":"evil.example/"})").error().message, HasSubstr("Id: must be letters"));
}

TEST(RestProtocol, RefusesWhatAPathOrAHeaderCannotCarry) {
  EXPECT_THAT(request_of("Put", R"({"Name":"..","Key":"k"})").error().message, HasSubstr("Name: must not be '.'"));
  EXPECT_THAT(request_of("Put", R"({"Name":"n","Key":"a/../b"})").error().message, HasSubstr("Key: must not be '.'"));
  EXPECT_THAT(request_of("Put", R"({"Name":"n","Key":"k","Mode":"a\r\nHost: b"})").error().message,
              HasSubstr("Mode: must not have control characters"));
  EXPECT_THAT(request_of("Put", R"({"Name":"n","Key":"k","Meta":{"a b":"c"}})").error().message,
              HasSubstr("Meta: 'x-meta-a b' is no name of a header"));
  EXPECT_THAT(validate(lab(), *lab().find_operation("Put")->input, json(R"({"Name":"","One":{}})")),
              ElementsAre("Name: must not be empty: it is a part of the request's path", "Key: is required",
                          "One: exactly one member must be set, not 0, of A, B"));
}

TEST(RestProtocol, ReadsMembersFromTheirPlaces) {
  http::Headers headers;
  headers.add("x-left", "7");
  headers.add("X-Good", "true");
  headers.add("X-When", "Sun, 22 Nov 2026 10:00:00 GMT");
  headers.add("X-Whens", "Sun, 22 Nov 2026 10:00:00 GMT, Mon, 23 Nov 2026 10:00:00 GMT");
  headers.add("X-Parts", R"(a, "b,c" ,d)");
  headers.add("X-Extra", "eyJhIjpbMV19");
  headers.add("X-Meta-One", "1");
  EXPECT_EQ(
      result_of("Put", 201, headers, R"({"size":5,"At":1795341600.5,"Any":{"x":[null]},"Newer":1,"Left":8})").value(),
      json(R"({"Status":201,"Left":7,"Good":true,"When":"2026-11-22T10:00:00.000000Z",
                     "Whens":["2026-11-22T10:00:00.000000Z","2026-11-23T10:00:00.000000Z"],
                     "Parts":["a","b,c","d"],"Extra":{"a":[1]},"Meta":{"One":"1"},
                     "Size":5,"At":"2026-11-22T10:00:00.500000Z","Any":{"x":[null]}})"));
}

TEST(RestProtocol, ReadsPayloads) {
  EXPECT_EQ(result_of("Get", 200, {}, std::string("\0\1\xFF", 3)).value(), json(R"({"Data":"AAH/"})"));
  EXPECT_EQ(result_of("Upload", 200, {}, R"({"a":"x"})").value(), json(R"({"Conf":{"A":"x"}})"));
  EXPECT_EQ(result_of("Upload", 200, {}, "").value(), json(R"({"Conf":{}})"));
  EXPECT_EQ(result_of("Account", 200, {}, "whatever").value(), Json::object());
}

TEST(RestProtocol, SaysWhatIsNoAnswer) {
  http::Headers headers;
  headers.add("X-Left", "many");
  EXPECT_EQ(result_of("Put", 200, headers, "{}").error().message, "a header says 'many' where a number belongs");
  EXPECT_EQ(result_of("Put", 200, {}, "<html>").error().code, "bad-answer");
  EXPECT_EQ(result_of("Put", 200, {}, "[]").error().code, "bad-answer");
}

TEST(RestProtocol, RefusesStreamsOfEvents) {
  EXPECT_EQ(serialize(lab(), *lab().find_operation("Listen"), Json::object()).error().message,
            "'Listen' is a stream of events, which is not supported");
}

TEST(RestProtocol, ReadsErrors) {
  const ServiceModel& scheduler = *find_service("scheduler");
  http::Headers headers;
  headers.add("x-amzn-ErrorType", "ResourceNotFoundException:http://internal/");
  headers.add("x-amzn-RequestId", "r-1");
  const Error named = parse_error(scheduler, {404, headers, R"({"Message":"no such schedule","code":"Other"})"});
  EXPECT_EQ(named.code, "ResourceNotFoundException");
  EXPECT_EQ(named.kind, ErrorKind::not_found);
  EXPECT_EQ(named.request_id, "r-1");
  EXPECT_EQ(named.message, "ResourceNotFoundException: no such schedule");
  EXPECT_EQ(parse_error(scheduler, {400, {}, R"({"__type":"a#B","code":"C","message":"m"})"}).code, "C");
  EXPECT_EQ(parse_error(scheduler, {400, {}, R"({"__type":"a#B"})"}).code, "B");
  EXPECT_EQ(parse_error(scheduler, {502, {}, "<html>"}).kind, ErrorKind::unavailable);
}

TEST(RestProtocol, NamesAProtocolThatIsNotSpoken) {
  std::string text(kModel);
  text.replace(text.find("rest-json"), 9, "rest-xml");
  const auto model = load_service("lab", pack_service("lab", {json(text), {}, {}}, nullptr).value()).value();
  EXPECT_EQ(serialize(*model, *model->find_operation("Get"), Json::object()).error().message,
            "service 'lab' speaks 'rest-xml'; the protocols that are supported are ec2, query, json and rest-json");
}

}  // namespace
}  // namespace parallax::aws
