// SPDX-License-Identifier: Apache-2.0
#include "store/file_system.h"

#include <sys/vfs.h>

#include <algorithm>
#include <iterator>

namespace hdrive::store {
namespace {

// As in linux/magic.h, which has only some of them.
constexpr std::int64_t kNetworkFileSystems[] = {
    0x6969,      // NFS
    0x517b,      // SMB
    0xff534d42,  // CIFS
    0xfe534d42,  // SMB 2 and 3
    0x65735546,  // FUSE: sshfs, s3fs, virtiofs and others
    0x01021997,  // 9p
    0x5346414f,  // AFS
    0x6b414653,  // kAFS
    0x00c36400,  // Ceph
    0x73757245,  // Coda
    0x7461636f,  // OCFS2
    0x01161970,  // GFS2
    0x0bd00bd0,  // Lustre
    0x47504653,  // GPFS
    0x19830326,  // BeeGFS
    0x786f4256,  // VirtualBox shared folders
    0xbacbacbc,  // VMware shared folders
};

}  // namespace

std::int64_t file_system_of(const std::filesystem::path& path) {
  struct statfs status {};
  if (::statfs(path.c_str(), &status) != 0) return 0;
  // Of 32 bits, whatever sign the field has on this machine.
  return static_cast<std::int64_t>(static_cast<std::uint32_t>(status.f_type));
}

bool is_network_file_system(std::int64_t magic) {
  return std::find(std::begin(kNetworkFileSystems), std::end(kNetworkFileSystems), magic) !=
         std::end(kNetworkFileSystems);
}

}  // namespace hdrive::store
