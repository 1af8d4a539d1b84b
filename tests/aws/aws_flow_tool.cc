// Our expressions and paging on stdin and stdout, one JSON object a line each way, for flow_oracle.py.
//   {"do":"search","expression","documents":[...]} -> {"values":[{"value":...} or {"error":"..."}, ...]} or
//   {"error":"..."}
//   {"do":"pages","service","operation","params","pages":[...]} -> {"asked":[...],"merged":...} or
//                                                                  {"asked":[...],"error":"..."}
//   {"do":"pages", ..., "paginator":{...}}: this one instead of the service's
#include <iostream>

#include "aws/expression.h"
#include "aws/paginate.h"

namespace parallax::aws {
namespace {

Json error_json(const Error& error) {
  return Json::object({{"error", error.code}, {"message", error.message}});
}

Json search_line(const Json& line) {
  const Result<Expression> expression = Expression::parse(line.text("expression"));
  if (!expression) {
    return error_json(expression.error());
  }
  JsonArray values;
  for (const Json& document : line.list("documents")) {
    const Result<Json> found = expression->search(document);
    values.push_back(found ? Json::object({{"value", *found}}) : error_json(found.error()));
  }
  return Json::object({{"values", Json(std::move(values))}});
}

Json walk(Paging& paging, const Json& line) {
  Json asked = *line.find("params");
  Json out = Json::object({{"asked", Json::array({asked})}});
  Json merged;
  for (const Json& page : line.list("pages")) {
    paging.merge(merged, page);
    const Result<std::optional<Json>> next = paging.next(page, asked);
    if (!next) {
      out.set("error", next.error().code);
      return out;
    }
    if (!*next) {
      break;
    }
    asked = **next;
    out.members()->find("asked")->push(asked);
  }
  out.set("merged", merged);
  return out;
}

Json pages_line(const Json& line) {
  const std::string operation = line.text("operation");
  const ServiceModel* model = find_service(line.text("service"));
  std::unique_ptr<ServiceModel> made;
  if (const Json* paginator = line.find("paginator")) {
    made = load_service("any", "M\tany\t{\"protocol\":\"json\"}\nO\t" + operation + "\t{\"errors\":[]}\nP\t" +
                                   operation + "\t" + paginator->dump() + "\n")
               .value();
    model = made.get();
  }
  Result<Paging> paging = Paging::make(*model, *model->find_operation(operation));
  return paging ? walk(*paging, line) : error_json(paging.error());
}

int run() {
  std::string text;
  while (std::getline(std::cin, text)) {
    const Json line = parse_json(text).value();
    std::cout << (line.text("do") == "search" ? search_line(line) : pages_line(line)).dump() << "\n";
  }
  return 0;
}

}  // namespace
}  // namespace parallax::aws

int main() {
  return parallax::aws::run();
}
