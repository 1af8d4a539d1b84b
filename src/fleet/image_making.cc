#include "fleet/image_making.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "fleet/change_calls.h"
#include "fleet/lease.h"

namespace parallax::fleet {

namespace {

constexpr Micros kVisible{Seconds(30)};
constexpr std::size_t kNameMin = 3;
constexpr std::size_t kNameMax = 128;

Result<> check_name(const std::string& name) {
  constexpr std::string_view kOthers = "()[] ./-'@_";
  const bool fits = std::all_of(name.begin(), name.end(), [&](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return letter || kOthers.find(c) != std::string_view::npos;
  });
  if (!fits || name.size() < kNameMin || name.size() > kNameMax) {
    return make_error(ErrorKind::invalid, fmt::format("'{}' is no name for an image: 3 to 128 letters, digits, blanks "
                                                      "and ()[]./-'@_",
                                                      name));
  }
  return {};
}

class Making {
 public:
  Making(const FleetDeps& deps, const Spec& spec, const ImageMaking& making, std::stop_token stop)
      : spec_(spec), making_(making), calls_(deps, spec.home, stop, stop) {
    tags_ = {{kFleetTag, spec.fleet}, {"Name", spec.fleet}, {kOriginalTag, "true"}};
  }

  ChangeCalls& calls() { return calls_; }

  Result<MadeImage> run() {
    const Monotonic begin = calls_.now();
    if (const std::optional<Json> taken = TRY(look("name", making_.name))) {
      return name_taken(*taken);
    }
    MadeImage made;
    made.id = TRY(create());
    made.name = making_.name;
    const Json image = TRY(wait(made.id));
    made.snapshots = snapshots_of(image);
    made.took = calls_.now() - begin;
    return made;
  }

 private:
  Error name_taken(const Json& image) const {
    return make_error(ErrorKind::conflict,
                      fmt::format("the name '{}' is taken in {} by image {}: give another one by --name, or deregister "
                                  "that image",
                                  making_.name, spec_.home, image.text("ImageId")));
  }

  static std::vector<std::string> snapshots_of(const Json& image) {
    std::vector<std::string> snapshots;
    for (const Json& device : image.list("BlockDeviceMappings")) {
      const Json* snapshot = device.at("Ebs", "SnapshotId");
      if (snapshot != nullptr && snapshot->string() != nullptr) {
        snapshots.push_back(*snapshot->string());
      }
    }
    return snapshots;
  }

  Result<std::optional<Json>> look(const std::string& filter, const std::string& value) {
    const Json answer = TRY(
        calls_.ec2("DescribeImages",
                   Json::object({{"Owners", Json::array({"self"})}, {"Filters", filter_list({{filter, {value}}})}})));
    for (const Json& image : answer.list("Images")) {
      if (image.text("State") != "deregistered") {
        return std::optional(image);
      }
    }
    return std::optional<Json>();
  }

  // CreateImage has no client token: where its answer is lost, the image of that name tells.
  Result<std::string> create() {
    const Json params =
        Json::object({{"InstanceId", making_.instance_id},
                      {"Name", making_.name},
                      {"Description", fmt::format("Home's image of the Parallax fleet {}", spec_.fleet)},
                      {"NoReboot", making_.reboot == ImageReboot::no_reboot},
                      {"TagSpecifications",
                       Json::array({tag_specification("image", tags_), tag_specification("snapshot", tags_)})}});
    const Monotonic deadline = calls_.now() + making_.timeout;
    GrowingGap gap;
    bool unclear = false;
    for (;;) {
      const Result<Json> answer = calls_.once("ec2", "CreateImage", params);
      if (answer) {
        return answer->text("ImageId");
      }
      const Error& error = answer.error();
      unclear = unclear || is_unclear(error);
      const bool duplicate = error.code == "InvalidAMIName.Duplicate";
      if (!duplicate && !is_unclear(error) && error.kind != ErrorKind::throttled) {
        return error;
      }
      if (duplicate || unclear) {
        const std::optional<Json> found = TRY(look("name", making_.name));
        if (found && !unclear) {
          return name_taken(*found);
        }
        if (found) {
          return found->text("ImageId");
        }
      }
      const Micros wait = gap.next();
      if (calls_.now() + wait >= deadline) {
        return error;
      }
      if (!calls_.pause(wait)) {
        return interrupted();
      }
    }
  }

  Result<Json> wait(const std::string& id) {
    const Monotonic begin = calls_.now();
    for (;;) {
      const Result<std::optional<Json>> looked = look("image-id", id);
      if (!looked) {
        return still_being_made(looked.error(), id);
      }
      const std::string state = *looked ? (*looked)->text("State") : "";
      if (state == "available") {
        return **looked;
      }
      const bool pending = state.empty() || state == "pending" || state == "transient";
      if (!pending || (state.empty() && calls_.now() - begin > kVisible)) {
        return failed(id, *looked);
      }
      if (calls_.now() - begin + making_.poll > making_.timeout) {
        return still_being_made(make_error(ErrorKind::timeout, fmt::format("after {}", to_human(making_.timeout))), id);
      }
      calls_.tell(fmt::format("waiting for image {}", id));
      if (!calls_.pause(making_.poll)) {
        return still_being_made(interrupted(), id);
      }
    }
  }

  static Error still_being_made(Error error, const std::string& id) {
    error.message = fmt::format("image {} is still being made: {}", id, error.message);
    return error;
  }

  // What was made just now and failed is in the way of the next attempt.
  Error failed(const std::string& id, const std::optional<Json>& image) {
    if (!image) {
      return make_error(ErrorKind::conflict, fmt::format("image {} is gone: somebody has deregistered it", id));
    }
    const Json* reason = image->find("StateReason");
    std::string text = fmt::format("image {} is '{}'{}{}", id, image->text("State"), reason == nullptr ? "" : ": ",
                                   reason == nullptr ? "" : reason->text("Message"));
    const Result<Json> deregistered = calls_.ec2("DeregisterImage", Json::object({{"ImageId", id}}));
    bool deleted = deregistered.has_value();
    for (const std::string& snapshot : snapshots_of(*image)) {
      deleted =
          calls_.ec2("DeleteSnapshot", Json::object({{"SnapshotId", snapshot}}), {.codes = {"InvalidSnapshot.InUse"}})
              .has_value() &&
          deleted;
    }
    text += deleted ? "; it was deleted again" : "; it could not be deleted: deregister it by hand";
    return make_error(ErrorKind::conflict, std::move(text));
  }

  const Spec& spec_;
  const ImageMaking& making_;
  ChangeCalls calls_;
  Tags tags_;
};

}  // namespace

Result<MadeImage> make_image(const FleetDeps& deps, const Spec& spec, const ImageMaking& making,
                             const std::function<void(const std::string& text)>& tell, std::stop_token stop) {
  TRY(check_name(making.name));
  Making work(deps, spec, making, std::move(stop));
  if (tell) {
    work.calls().on_wait(tell);
  }
  return work.run();
}

}  // namespace parallax::fleet
