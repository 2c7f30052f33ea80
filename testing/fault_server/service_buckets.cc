// Buckets: making, removing, naming them, and whether they keep versions.
#include <pugixml.hpp>

#include "s3/encode.h"
#include "testing/fault_server/service.h"

namespace stepstore::fault {
namespace {

http::Response set_versioning(const Call& call, Bucket& bucket) {
  pugi::xml_document document;
  if (!document.load_buffer(call.body.data(), call.body.size())) return malformed_xml();
  const std::string_view status = document.child("VersioningConfiguration").child_value("Status");
  if (status != "Enabled" && status != "Suspended") return malformed_xml();
  if (bucket.versioning == Versioning::never) {
    // What is there becomes the version "null" of its key.
    for (auto& [key, object] : bucket.objects) {
      object.version = "null";
      bucket.history[key] = {object};
    }
  }
  bucket.versioning = status == "Enabled" ? Versioning::enabled : Versioning::suspended;
  return empty_answer(200);
}

http::Response versioning_of(const Bucket& bucket) {
  std::string status;
  if (bucket.versioning == Versioning::enabled) status = "<Status>Enabled</Status>";
  if (bucket.versioning == Versioning::suspended) status = "<Status>Suspended</Status>";
  return xml_answer(200, "<VersioningConfiguration>" + status + "</VersioningConfiguration>");
}

}  // namespace

http::Response Service::about_all() const {
  std::string out = "<ListAllMyBucketsResult><Owner><ID>owner</ID></Owner><Buckets>";
  for (const auto& [name, bucket] : buckets_) {
    out += "<Bucket><Name>" + s3::xml_escape(name) + "</Name><CreationDate>" +
           iso_time(bucket.created) + "</CreationDate></Bucket>";
  }
  return xml_answer(200, out + "</Buckets></ListAllMyBucketsResult>");
}

http::Response Service::about_bucket(const Call& call) {
  if (call.method == "PUT" && !call.parameter("versioning")) {
    buckets_.try_emplace(call.bucket, Bucket{.created = clock_.now_ms()});
    http::Response response = empty_answer(200);
    response.headers.emplace_back("Location", "/" + s3::uri_encode(call.bucket));
    return response;
  }
  const auto found = buckets_.find(call.bucket);
  if (found == buckets_.end()) {
    return error_answer(404, "NoSuchBucket", "The specified bucket does not exist", call.bucket);
  }
  Bucket& bucket = found->second;
  if (call.method == "HEAD") return empty_answer(200);
  if (call.method == "PUT") return set_versioning(call, bucket);
  if (call.method == "GET") return get_about_bucket(call, bucket);
  if (call.method == "POST" && call.parameter("delete") && !options_.dialect.no_bulk_delete) {
    return remove_many(call, bucket);
  }
  if (call.method == "DELETE") {
    if (!bucket.objects.empty() || !bucket.history.empty()) {
      return error_answer(409, "BucketNotEmpty", "The bucket you tried to delete is not empty",
                          call.bucket);
    }
    buckets_.erase(found);
    return empty_answer(204);
  }
  return error_answer(501, "NotImplemented", "This server does not do that.");
}

http::Response Service::get_about_bucket(const Call& call, const Bucket& bucket) const {
  if (call.parameter("versioning")) return versioning_of(bucket);
  if (call.parameter("location")) return xml_answer(200, "<LocationConstraint/>");
  if (call.parameter("uploads")) return list_uploads(call, bucket);
  if (call.parameter("versions")) return list_versions(call, bucket);
  return list(call, bucket);
}

}  // namespace stepstore::fault
