// The price list: data/aws-prices.csv in the shape of the Price List API. It has the few products that a fleet of small
// machines pays for, and no price that the table does not have.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/hash.h"
#include "sim/cloud/filters.h"
#include "sim/cloud/operations.h"
#include "sim/cloud/regions.h"

namespace parallax::sim {

extern const std::string_view kPriceTableCsv;

namespace {

constexpr PageLimits kPages{1, 100, 100};
constexpr std::string_view kOnDemand = "JRTCKXETXF";
constexpr std::string_view kHourly = "6YS6EN2CT7";

using Attributes = std::map<std::string, std::string>;

struct Product {
  std::string service;
  std::string family;
  std::string sku;
  Attributes attributes;
  std::string unit;
  std::string description;
  std::string usd;
  std::string as_of;
};

struct TypeFacts {
  std::string_view type;
  std::string_view vcpu;
  std::string_view memory;
  std::string_view processor;
};

constexpr std::array kTypes = {
    TypeFacts{"t2.micro", "1", "1 GiB", "64-bit"}, TypeFacts{"t3.nano", "2", "0.5 GiB", "64-bit"},
    TypeFacts{"t3.micro", "2", "1 GiB", "64-bit"}, TypeFacts{"t4g.nano", "2", "0.5 GiB", "64-bit"},
    TypeFacts{"t4g.micro", "2", "1 GiB", "64-bit"}};

void describe_instance(Product& product, const TypeFacts& facts) {
  product.service = "AmazonEC2";
  product.family = "Compute Instance";
  product.unit = "Hrs";
  product.attributes.insert({{"instanceType", std::string(facts.type)},
                             {"vcpu", std::string(facts.vcpu)},
                             {"memory", std::string(facts.memory)},
                             {"processorArchitecture", std::string(facts.processor)},
                             {"operatingSystem", "Linux"},
                             {"tenancy", "Shared"},
                             {"preInstalledSw", "NA"},
                             {"capacitystatus", "Used"},
                             {"licenseModel", "No License required"},
                             {"marketoption", "OnDemand"},
                             {"operation", "RunInstances"},
                             {"usagetype", fmt::format("BoxUsage:{}", facts.type)}});
  product.description = fmt::format("${} per On Demand Linux {} Instance Hour", product.usd, facts.type);
}

void describe_storage(Product& product, const std::string& item) {
  product.service = "AmazonEC2";
  product.unit = "GB-Mo";
  if (item == "ebs-snapshot") {
    product.family = "Storage Snapshot";
    product.attributes.insert({{"storageMedia", "Amazon S3"}, {"usagetype", "EBS:SnapshotUsage"}});
  } else {
    const std::string volume = item.substr(std::string_view("ebs-").size());
    product.family = "Storage";
    product.attributes.insert({{"storageMedia", "SSD-backed"},
                               {"volumeType", "General Purpose"},
                               {"volumeApiName", volume},
                               {"usagetype", fmt::format("EBS:VolumeUsage.{}", volume)}});
  }
  product.description = fmt::format("${} per GB-month of {}", product.usd, product.attributes.at("usagetype"));
}

// False for an item that is in no service here.
bool describe(Product& product, const std::string& item) {
  const auto type = std::ranges::find(kTypes, item, &TypeFacts::type);
  if (type != kTypes.end()) {
    describe_instance(product, *type);
    return true;
  }
  if (item.starts_with("ebs-")) {
    describe_storage(product, item);
    return true;
  }
  if (item == "public-ipv4") {
    product.service = "AmazonVPC";
    product.family = "VPC Public IPv4 Address";
    product.unit = "Hrs";
    product.attributes.insert({{"group", "VPCPublicIPv4Address"}, {"usagetype", "PublicIPv4:InUseAddress"}});
    product.description = fmt::format("${} per In-use public IPv4 address per hour", product.usd);
    return true;
  }
  if (item == "transfer-out-internet" || item == "transfer-out-other-region") {
    const bool internet = item == "transfer-out-internet";
    product.service = "AWSDataTransfer";
    product.family = "Data Transfer";
    product.unit = "GB";
    product.attributes.erase("location");
    product.attributes.insert({{"transferType", internet ? "AWS Outbound" : "InterRegion Outbound"},
                               {"fromRegionCode", product.attributes.at("regionCode")},
                               {"usagetype", internet ? "DataTransfer-Out-Bytes" : "AWS-Out-Bytes"}});
    if (internet) {
      product.attributes["toLocation"] = "External";
    }
    product.description = fmt::format("${} per GB - data transfer out", product.usd);
    return true;
  }
  return false;
}

// A SKU is 16 capital letters and digits; ours follow from what they name.
std::string sku_of(const std::string& text) {
  std::string sku;
  for (const char c : sha256_hex(text).substr(0, 16)) {
    sku += c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return sku;
}

void add_product(std::vector<Product>& products, const RegionInfo& region, const std::vector<std::string_view>& cells) {
  Product product;
  product.usd = cells[3];
  product.as_of = cells[5];
  product.attributes = {{"regionCode", region.name}, {"location", region.city}, {"locationType", "AWS Region"}};
  if (!describe(product, std::string(cells[1]))) {
    return;
  }
  product.attributes["servicecode"] = product.service;
  product.attributes["productFamily"] = product.family;
  product.sku = sku_of(fmt::format("{}/{}", region.name, cells[1]));
  products.push_back(std::move(product));
}

// Rows of region "*" stand for every region of partition aws that has no own row.
std::vector<Product> read_products() {
  std::vector<Product> products;
  std::set<std::pair<std::string_view, std::string_view>> own;
  std::vector<std::vector<std::string_view>> rows;
  for (const std::string_view line : split(kPriceTableCsv, '\n')) {
    std::vector<std::string_view> cells = split(trim(line), ',');
    if (cells.size() >= 6 && cells[0] != "region") {
      own.emplace(cells[0], cells[1]);
      rows.push_back(std::move(cells));
    }
  }
  for (const auto& cells : rows) {
    for (const RegionInfo& region : all_regions()) {
      const bool wanted = cells[0] == "*" ? region.partition == "aws" && !own.contains({region.name, cells[1]})
                                          : region.name == cells[0];
      if (wanted) {
        add_product(products, region, cells);
      }
    }
  }
  std::ranges::sort(products, {}, &Product::sku);
  return products;
}

const std::vector<Product>& all_products() {
  static const std::vector<Product> kProducts = read_products();
  return kProducts;
}

Error invalid(std::string message) {
  return client_error("InvalidParameterException", std::move(message));
}

// Service -> the attributes that its products have.
std::map<std::string, std::set<std::string>> service_attributes() {
  std::map<std::string, std::set<std::string>> services;
  for (const Product& product : all_products()) {
    for (const auto& [name, value] : product.attributes) {
      services[product.service].insert(name);
    }
  }
  return services;
}

Result<std::set<std::string>> attributes_of(const std::string& service) {
  const auto services = service_attributes();
  const auto found = services.find(service);
  if (found == services.end()) {
    return invalid(fmt::format("Input Parameters are invalid: ServiceCode {} is not known here", service));
  }
  return found->second;
}

Result<> check_format(const Json& input) {
  const std::string version = input.text("FormatVersion", "aws_v1");
  return version == "aws_v1" ? Result<>() : invalid(fmt::format("FormatVersion {} is not aws_v1", version));
}

Result<Json> page(std::string_view operation, std::string member, std::vector<Json> all, const Json& input) {
  Result<Json> answer = page_of(operation, std::move(member), std::move(all), input, kPages);
  if (!answer && answer.error().code == "InvalidNextToken") {
    return client_error("InvalidNextTokenException", "The pagination token is invalid. Try again without it.");
  }
  return answer ? answer : Result<Json>(invalid(answer.error().message));
}

Result<Json> describe_services(Context& /*context*/, const Json& input) {
  TRY(check_format(input));
  const std::string wanted = input.text("ServiceCode");
  if (!wanted.empty()) {
    TRY(attributes_of(wanted));
  }
  std::vector<Json> services;
  for (const auto& [service, names] : service_attributes()) {
    JsonArray list;
    for (const std::string& name : names) {
      list.emplace_back(name);
    }
    if (wanted.empty() || wanted == service) {
      services.push_back(Json::object({{"ServiceCode", service}, {"AttributeNames", std::move(list)}}));
    }
  }
  Json answer = TRY(page("DescribeServices", "Services", std::move(services), input));
  answer.set("FormatVersion", "aws_v1");
  return answer;
}

Result<Json> get_attribute_values(Context& /*context*/, const Json& input) {
  const std::string service = input.text("ServiceCode");
  const std::string name = input.text("AttributeName");
  if (!TRY(attributes_of(service)).contains(name)) {
    return invalid(fmt::format("Input Parameters are invalid: {} has no attribute {}", service, name));
  }
  std::set<std::string> values;
  for (const Product& product : all_products()) {
    const auto found = product.attributes.find(name);
    if (product.service == service && found != product.attributes.end()) {
      values.insert(found->second);
    }
  }
  std::vector<Json> list;
  list.reserve(values.size());
  for (const std::string& value : values) {
    list.push_back(Json::object({{"Value", value}}));
  }
  return page("GetAttributeValues", "AttributeValues", std::move(list), input);
}

// One entry of PriceList: a JSON document as text.
std::string product_text(const Product& product) {
  Json attributes = Json::object();
  for (const auto& [name, value] : product.attributes) {
    if (name != "productFamily") {
      attributes.set(name, value);
    }
  }
  const std::string term = fmt::format("{}.{}", product.sku, kOnDemand);
  const std::string rate = fmt::format("{}.{}", term, kHourly);
  const Json dimension = Json::object({{"unit", product.unit},
                                       {"beginRange", "0"},
                                       {"endRange", "Inf"},
                                       {"description", product.description},
                                       {"appliesTo", JsonArray{}},
                                       {"rateCode", rate},
                                       {"pricePerUnit", Json::object({{"USD", product.usd}})}});
  const Json offer = Json::object({{"priceDimensions", Json::object({{rate, dimension}})},
                                   {"sku", product.sku},
                                   {"offerTermCode", kOnDemand},
                                   {"termAttributes", Json::object()}});
  return Json::object({{"product", Json::object({{"productFamily", product.family},
                                                 {"attributes", std::move(attributes)},
                                                 {"sku", product.sku}})},
                       {"serviceCode", product.service},
                       {"terms", Json::object({{"OnDemand", Json::object({{term, offer}})}})},
                       {"version", product.as_of},
                       {"publicationDate", product.as_of}})
      .dump();
}

Result<Json> get_products(Context& /*context*/, const Json& input) {
  TRY(check_format(input));
  const std::string service = input.text("ServiceCode");
  const std::set<std::string> names = TRY(attributes_of(service));
  for (const Json& filter : input.list("Filters")) {
    if (filter.text("Type") != "TERM_MATCH") {
      return invalid(fmt::format("Filter type {} is not simulated: only TERM_MATCH is", filter.text("Type")));
    }
    if (!names.contains(filter.text("Field"))) {
      return invalid(
          fmt::format("Input Parameters are invalid: {} has no attribute {}", service, filter.text("Field")));
    }
  }
  std::vector<Json> list;
  for (const Product& product : all_products()) {
    const bool fits = std::ranges::all_of(input.list("Filters"), [&](const Json& filter) {
      const auto value = product.attributes.find(filter.text("Field"));
      return value != product.attributes.end() && equals_ignore_case(value->second, filter.text("Value"));
    });
    if (product.service == service && fits) {
      list.emplace_back(product_text(product));
    }
  }
  Json answer = TRY(page("GetProducts", "PriceList", std::move(list), input));
  answer.set("FormatVersion", "aws_v1");
  return answer;
}

}  // namespace

std::vector<OperationEntry> pricing_operations() {
  return {{"DescribeServices", describe_services},
          {"GetAttributeValues", get_attribute_values},
          {"GetProducts", get_products}};
}

}  // namespace parallax::sim
