// PrefixStore: the objects of another store below a prefix, as if they were all there is.
#pragma once

#include <memory>
#include <string>

#include "stepstore/object_store.h"
#include "stepstore/presign.h"

namespace stepstore {

class PrefixStore final : public ObjectStore, public LinkMaker {
 public:
  // `prefix`: 1 to 300 bytes of a valid key, without a closing slash. Throws InvalidArgument.
  PrefixStore(std::shared_ptr<ObjectStore> inner, std::string prefix);

  std::vector<Result<ETag>> put(std::span<const PutRequest> items,
                                const CallLimits& limits) override;
  PublishResult publish(const PublishRequest& request, const CallLimits& limits) override;
  std::vector<Result<Object>> get(std::span<const GetRequest> items,
                                  const CallLimits& limits) override;
  std::vector<Result<ObjectInfo>> head(std::span<const ObjectKey> keys,
                                       const CallLimits& limits) override;
  ListPage list(const ListRequest& request, const CallLimits& limits) override;
  std::vector<Result<Done>> remove(std::span<const ObjectKey> keys,
                                   const CallLimits& limits) override;
  std::unique_ptr<Upload> start_upload(const ObjectKey& key, const std::string& content_type,
                                       const CallLimits& limits) override;
  Capabilities capabilities() const override;
  PresignedUrl link(const LinkRequest& request, const CallLimits& limits) override;

 private:
  std::shared_ptr<ObjectStore> inner_;
  std::string prefix_;  // with its closing slash
};

}  // namespace stepstore
