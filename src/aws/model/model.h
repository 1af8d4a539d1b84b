// The official AWS service models: operations, shapes, paginators, waiters, as data. Seven are embedded compressed;
// others come from a folder (directory.h). A service is read at its first use and an operation or shape is parsed when
// it is first asked for, so a program that makes two calls pays for two operations.
//
// Thread safety: everything may be used from any thread. Lifetime: whatever is returned lives as long as the program.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json.h"

namespace parallax::aws {

class ServiceModel;
struct Shape;

namespace detail {
struct ShapeSlot;
struct ModelTables;
}  // namespace detail

enum class ShapeType {
  structure,
  list,
  map,
  string,
  integer,  // "integer" and "long" alike: 64 bits
  floating,
  boolean,
  blob,
  timestamp,
};

std::string_view to_string(ShapeType type);

enum class TimestampFormat { unset, iso8601, unix_seconds, rfc822 };

// A shape by reference, parsed when first looked at: shapes may contain themselves.
class ShapeRef {
 public:
  ShapeRef() = default;

  explicit ShapeRef(const detail::ShapeSlot* slot) : slot_(slot) {}

  explicit operator bool() const { return slot_ != nullptr; }

  const Shape& operator*() const;

  const Shape* operator->() const { return &**this; }

  // nullptr where there is no shape.
  const Shape* get() const { return slot_ == nullptr ? nullptr : &**this; }

 private:
  const detail::ShapeSlot* slot_ = nullptr;
};

// A member of a structure, the item of a list, the key or value of a map: a shape and how it is written here.
struct Member {
  std::string name;           // empty for items, keys and values
  std::string location_name;  // "locationName" as in the model; empty where absent
  std::string query_name;     // "queryName"; empty where absent
  std::string location;       // REST only: "header", "headers", "uri", "querystring", "statusCode"; empty: the body
  ShapeRef shape;
  TimestampFormat timestamp_format = TimestampFormat::unset;
  bool required = false;
  bool idempotency_token = false;
  bool flattened = false;
  bool json_value = false;  // in a header: any JSON value, sent as base64
  bool host_label = false;  // fills a label of Operation::host_prefix
  bool deprecated = false;

  // The name on the wire where no rule of a protocol changes it: locationName or else the name.
  const std::string& wire_name() const { return location_name.empty() ? name : location_name; }
};

struct Shape {
  std::string name;
  ShapeType type = ShapeType::structure;
  std::vector<Member> members;           // structure, in the model's order
  Member item;                           // list
  Member key, value;                     // map
  std::vector<std::string> enum_values;  // string; services add values, so treat it as a hint when reading
  std::optional<double> min, max;        // numbers: the value; strings, blobs: length; lists, maps: count
  std::string pattern;                   // as in the model (Java's syntax)
  std::string location_name;             // of the shape itself; no protocol of ours uses it
  TimestampFormat timestamp_format = TimestampFormat::unset;
  bool flattened = false;
  bool sensitive = false;
  std::string payload;        // REST: the member that is the whole body; empty where the body holds the members
  bool document = false;      // any JSON value
  bool is_union = false;      // exactly one member is set
  bool event_stream = false;  // a stream of events, which we do not speak

  // Exceptions.
  bool exception = false;
  std::string error_code;  // what is sent: the model's own code or else the shape's name
  int error_status = 0;    // 0: the model says nothing
  bool server_fault = false;

  const Member* find_member(std::string_view member_name) const;
  const Member* find_member_by_location(std::string_view wire_name) const;
};

struct Operation {
  std::string name;
  std::string method = "POST";
  std::string uri = "/";
  ShapeRef input;              // empty where the operation takes nothing
  ShapeRef output;             // empty where it answers nothing
  std::string result_wrapper;  // query protocol: "GetRoleResult"
  int response_code = 200;     // of success; REST only
  std::string host_prefix;     // before the endpoint's host, with {Label}s: "data-"; mostly empty
  bool is_unsigned = false;    // sent without a signature: sts AssumeRoleWithWebIdentity
  std::vector<ShapeRef> errors;
  bool deprecated = false;
};

// `other`: none that we speak.
enum class Protocol { ec2, query, json, rest_json, other };

struct Metadata {
  std::string service;  // our key: "ec2"
  Protocol protocol = Protocol::other;
  std::string protocol_name;    // as the model has it, for messages: "rest-xml"
  std::string api_version;      // "2016-11-15"
  std::string endpoint_prefix;  // "ec2"; the host's first label
  std::string signing_name;     // in the credential scope
  std::string service_id;       // "EC2"
  std::string target_prefix;    // json: "AmazonSSM"
  std::string json_version;     // json: "1.1"
  std::string xml_namespace;    // "http://ec2.amazonaws.com/doc/2016-11-15"
  bool global_endpoint = false;
  bool query_compatible = false;  // json: answers like a query service before it, with its error codes in a header
};

struct Paginator {
  std::string operation;
  std::vector<std::string> input_tokens;
  std::vector<std::string> output_tokens;  // member paths, with "||" alternatives in a few services
  std::vector<std::string> result_keys;    // member paths; the first is the main one
  std::vector<std::string> non_aggregate_keys;
  std::string limit_key;     // may be empty
  std::string more_results;  // IAM: "IsTruncated"; may be empty
};

struct WaiterAcceptor {
  std::string state;     // success, failure, retry
  std::string matcher;   // path, pathAll, pathAny, status, error
  std::string argument;  // a JMESPath expression
  Json expected;
};

struct Waiter {
  std::string name;
  std::string operation;
  int delay_seconds = 0;
  int attempts_max = 0;
  std::vector<WaiterAcceptor> acceptors;
};

class ServiceModel {
 public:
  ~ServiceModel();
  ServiceModel(const ServiceModel&) = delete;
  ServiceModel& operator=(const ServiceModel&) = delete;

  const Metadata& metadata() const { return metadata_; }

  // nullptr for a name that the model does not have. Names are case-sensitive.
  const Operation* find_operation(std::string_view name) const;
  const Shape* find_shape(std::string_view name) const;
  const Paginator* find_paginator(std::string_view operation) const;
  const Waiter* find_waiter(std::string_view name) const;

  // Sorted.
  std::vector<std::string_view> operation_names() const;
  std::vector<std::string_view> waiter_names() const;

 private:
  friend Result<std::unique_ptr<ServiceModel>> load_service(std::string_view name, std::string text);
  ServiceModel();

  Metadata metadata_;
  std::unique_ptr<detail::ModelTables> tables_;
};

// nullptr for a service that is neither in the folder of use_models_directory (directory.h) nor embedded, and for one
// whose files in that folder are damaged. Where the reason matters: require_service.
const ServiceModel* find_service(std::string_view name);

// The same with an error that tells what is wrong: invalid (unknown, with a suggestion), corrupt, refused (our limits).
Result<const ServiceModel*> require_service(std::string_view name);

// Sorted; embedded are "cloudwatch", "ec2", "iam", "pricing", "scheduler", "ssm", "sts".
std::vector<std::string_view> service_names();

// A model from its packed text (tools/models describes it). The text must be sound, as that of pack_service() (pack.h)
// and of the build is: a line that is no model is a defect, and stops the program when it is first used.
Result<std::unique_ptr<ServiceModel>> load_service(std::string_view name, std::string text);

}  // namespace parallax::aws
