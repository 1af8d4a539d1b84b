// The image of a region: copied from home, waited for, replaced once where the copy failed.
#include <algorithm>

#include <fmt/format.h>

#include "codec/hash.h"
#include "fleet/change_work.h"

namespace parallax::fleet {

namespace {

constexpr int kTokensMax = 10;
constexpr std::size_t kTokenLength = 64;  // EC2's limit
constexpr int kCopyTakes = 4;             // polls: a copy is not looked at before

Json by_filter(const std::string& filter, const std::string& value) {
  return Json::object({{"Filters", filter_list({{filter, {value}}})}});
}

ImageSeen read_image(const Json& json) {
  ImageSeen image;
  image.id = json.text("ImageId");
  image.name = json.text("Name");
  image.state = json.text("State");
  if (const Json* reason = json.find("StateReason")) {
    image.state_reason = reason->text("Message");
  }
  image.root_device = json.text("RootDeviceName");
  for (const Json& device : json.list("BlockDeviceMappings")) {
    const Json* snapshot = device.at("Ebs", "SnapshotId");
    if (snapshot != nullptr && snapshot->string() != nullptr) {
      image.snapshots.push_back(*snapshot->string());
    }
  }
  image.tags = read_tags(json);
  return image;
}

bool is_pending(const std::string& state) {
  return state == "pending" || state == "transient";
}

}  // namespace

Result<std::optional<ImageSeen>> ChangeWork::look_at_image(const std::string& filter, const std::string& value) {
  Json params = by_filter(filter, value);
  params.set("Owners", Json::array({"self"}));
  const Json answer = TRY(calls_.ec2("DescribeImages", params, {.timeout = state_timeout()}));
  for (const Json& item : answer.list("Images")) {
    ImageSeen image = read_image(item);
    if (image.state != "deregistered") {
      return std::optional(std::move(image));
    }
  }
  return std::optional<ImageSeen>();
}

Result<> ChangeWork::deregister(const std::string& image, const std::vector<std::string>& snapshots) {
  TRY(delete_ec2("DeregisterImage", Json::object({{"ImageId", image}}), {.timeout = state_timeout()}));
  for (const std::string& snapshot : snapshots) {
    TRY(delete_ec2("DeleteSnapshot", Json::object({{"SnapshotId", snapshot}}),
                   {.timeout = state_timeout(), .codes = {"InvalidSnapshot.InUse"}}));
  }
  return {};
}

// Its snapshots' ids were read before: afterwards nothing leads to them. Where the plan names them in steps of their
// own they are left to those.
Result<> ChangeWork::delete_image(StepOutcome& step) {
  std::vector<std::string> snapshots;
  if (seen() != nullptr && !later_step(StepKind::delete_snapshot)) {
    const auto image = std::find_if(seen()->images.begin(), seen()->images.end(),
                                    [&](const ImageSeen& seen) { return seen.id == step.step.id; });
    if (image != seen()->images.end()) {
      snapshots = image->snapshots;
    }
  }
  return deregister(step.step.id, snapshots);
}

// The copy of that name, which another controller or a call without an answer may have begun. Empty: there is none.
Result<std::string> ChangeWork::copy_of_that_name() {
  const std::optional<ImageSeen> found = TRY(look_at_image("name", context_.spec.image.name));
  if (!found) {
    return std::string();
  }
  if (!is_ours(found->tags, context_.spec.fleet)) {
    return make_error(
        ErrorKind::conflict,
        fmt::format("image {} has the name '{}' and not our tag: adopt it with 'parallax fleet adopt', or "
                    "deregister it",
                    found->id, found->name));
  }
  return found->id;
}

Result<std::string> ChangeWork::start_copy() {
  const Spec& spec = context_.spec;
  if (!context_.observed.home_image) {
    return make_error(ErrorKind::conflict,
                      fmt::format("home's image '{}' was not seen in {}", spec.image.name, spec.home));
  }
  const std::string& source = context_.observed.home_image->id;
  Json params = Json::object({{"SourceRegion", spec.home}, {"SourceImageId", source}, {"Name", spec.image.name}});
  params.set("TagSpecifications",
             Json::array({tag_specification("image", our_tags()), tag_specification("snapshot", our_tags())}));
  GrowingGap gap;
  const Monotonic deadline = calls_.now() + context_.options.image_timeout;
  while (copies_ < kTokensMax) {
    params.set("ClientToken", sha256_hex(fmt::format("{}\n{}\n{}\n{}\n{}", spec.fleet, calls_.region(), source,
                                                     spec.image.name, copies_))
                                  .substr(0, kTokenLength));
    const Result<Json> answer = calls_.ec2(
        "CopyImage", params, {.timeout = context_.options.image_timeout, .codes = {"ResourceLimitExceeded"}});
    if (answer) {
      copy_answered_ = calls_.now();
      return answer->text("ImageId");
    }
    if (answer.error().code == "IdempotentParameterMismatch") {
      ++copies_;
      continue;
    }
    if (answer.error().code != "InvalidAMIName.Duplicate") {
      return answer.error();
    }
    std::string found = TRY(copy_of_that_name());
    if (!found.empty()) {
      return found;
    }
    // The name of an image that was deregistered just now is held for a while.
    const Micros wait = gap.next();
    if (calls_.now() + wait >= deadline) {
      return answer.error();
    }
    tell(fmt::format("the name '{}' is held by an image that was just deregistered", spec.image.name));
    if (!calls_.pause(wait)) {
      return interrupted();
    }
  }
  return make_error(ErrorKind::conflict, fmt::format("CopyImage in {} gave back an image that is gone, {} times",
                                                     calls_.region(), kTokensMax));
}

Result<> ChangeWork::copy_image(StepOutcome& step) {
  made_image_ = TRY(start_copy());
  step.id = made_image_;
  if (!later_step(StepKind::wait_image) && !later_step(StepKind::launch)) {
    const UsableImage image = TRY(wait_for_copy());
    step.id = image.id;
  }
  return {};
}

// A copy takes minutes: the first look is not at once.
Result<ChangeWork::UsableImage> ChangeWork::wait_for_copy() {
  if (usable_image_) {
    return *usable_image_;
  }
  const Micros since = copy_answered_ == Monotonic::min() ? Micros::max() : calls_.now() - copy_answered_;
  const Micros first = std::min(kCopyTakes * context_.options.image_poll, context_.options.image_timeout);
  if (since < first) {
    tell(fmt::format("waiting for image {}", made_image_));
    if (!calls_.pause(first - since)) {
      return interrupted();
    }
  }
  return wait_until_usable(made_image_);
}

Result<> ChangeWork::wait_image(StepOutcome& step) {
  const UsableImage image = TRY(made_image_.empty() ? wait_until_usable(step.step.id) : wait_for_copy());
  step.id = image.id;
  return {};
}

Result<std::string> ChangeWork::replace_copy(const ImageSeen& failed) {
  const std::string why = fmt::format("copy {} is '{}'{}{}", failed.id, failed.state,
                                      failed.state_reason.empty() ? "" : ": ", failed.state_reason);
  if (replaced_copy_) {
    return make_error(ErrorKind::conflict, fmt::format("{}; it was the second one", why));
  }
  replaced_copy_ = true;
  TRY(deregister(failed.id, failed.snapshots));
  ++copies_;
  remark(fmt::format("{}: deleted and copied again", why));
  return start_copy();
}

Result<ChangeWork::UsableImage> ChangeWork::wait_until_usable(std::string id) {
  const Monotonic begin = calls_.now();
  Monotonic known = begin;  // since when this id must be visible
  for (;;) {
    const std::optional<ImageSeen> image = TRY(look_at_image("image-id", id));
    if (image && image->state == "available") {
      made_image_ = id;
      usable_image_ = UsableImage{id, image->root_device};
      return *usable_image_;
    }
    if (image && !is_pending(image->state)) {
      id = TRY(replace_copy(*image));
      known = calls_.now();
    } else if (!image && calls_.now() - known > kVisibleWithin) {
      // The token of an earlier copy gives back that copy's id, though somebody has deregistered it since.
      ++copies_;
      id = TRY(start_copy());
      known = calls_.now();
    }
    if (calls_.now() - begin + context_.options.image_poll > context_.options.image_timeout) {
      return make_error(ErrorKind::timeout, fmt::format("image {} is still not available after {}: apply again later, "
                                                        "the copy goes on",
                                                        id, to_human(context_.options.image_timeout)));
    }
    tell(fmt::format("waiting for image {}", id));
    if (!calls_.pause(context_.options.image_poll)) {
      return interrupted();
    }
  }
}

Result<ChangeWork::UsableImage> ChangeWork::stock_image() {
  if (seen() == nullptr || !seen()->places || seen()->places->stock_image.empty()) {
    const bool told = seen() != nullptr && seen()->places && !seen()->places->stock_problem.empty();
    return make_error(ErrorKind::not_found, told ? seen()->places->stock_problem : "Amazon's image was not looked up");
  }
  const std::string& id = seen()->places->stock_image;
  if (seen()->places->stock && !seen()->places->stock->root_device.empty()) {
    return UsableImage{id, seen()->places->stock->root_device};
  }
  const Json answer = TRY(calls_.ec2("DescribeImages", by_filter("image-id", id), {.timeout = state_timeout()}));
  if (answer.list("Images").empty()) {
    return make_error(ErrorKind::not_found, fmt::format("Amazon's image {} does not exist in {}", id, calls_.region()));
  }
  return UsableImage{id, answer.list("Images").front().text("RootDeviceName")};
}

Result<ChangeWork::UsableImage> ChangeWork::usable_image() {
  const Spec& spec = context_.spec;
  if (spec.image.kind == ImageSpec::Kind::stock) {
    return stock_image();
  }
  const std::optional<ImageSeen>& home = context_.observed.home_image;
  if (spec.is_home(calls_.region())) {
    if (!home) {
      return make_error(ErrorKind::not_found, fmt::format("home's image '{}' was not seen", spec.image.name));
    }
    return home->state == "available"
               ? Result<UsableImage>(UsableImage{home->id, home->root_device})
               : Result<UsableImage>(
                     make_error(ErrorKind::conflict, fmt::format("home's image {} is '{}'", home->id, home->state)));
  }
  if (!made_image_.empty()) {
    return wait_for_copy();
  }
  if (seen() != nullptr) {
    for (const ImageSeen& image : seen()->images) {
      if (image.name == spec.image.name && is_ours(image.tags, spec.fleet)) {
        return image.state == "available" ? Result<UsableImage>(UsableImage{image.id, image.root_device})
                                          : wait_until_usable(image.id);
      }
    }
  }
  return make_error(ErrorKind::not_found,
                    fmt::format("there is no copy of '{}' in {}", spec.image.name, calls_.region()));
}

}  // namespace parallax::fleet
