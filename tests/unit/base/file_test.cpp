// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <cerrno>

#include "tests/catch.h"

using hdrive::Error;
using hdrive::base::error_kind;

TEST_CASE("what the system refuses has a kind that says whether it may pass") {
  for (const int number : {ENOSPC, EDQUOT}) CHECK(error_kind(number) == Error::Kind::no_room);
  for (const int number : {EMFILE, ENFILE, ENOMEM, EAGAIN})
    CHECK(error_kind(number) == Error::Kind::no_resources);
  for (const int number : {EACCES, EPERM, EROFS})
    CHECK(error_kind(number) == Error::Kind::not_allowed);
  CHECK(error_kind(ENOENT) == Error::Kind::not_found);
  CHECK(error_kind(EIO) == Error::Kind::other);
}

TEST_CASE("room, resources and locks come back by themselves, files and permissions do not") {
  CHECK(passes_by_itself(Error::Kind::no_room));
  CHECK(passes_by_itself(Error::Kind::no_resources));
  CHECK(passes_by_itself(Error::Kind::busy));
  CHECK_FALSE(passes_by_itself(Error::Kind::not_found));
  CHECK(lies_outside(Error::Kind::not_found));
  CHECK(lies_outside(Error::Kind::not_allowed));
  CHECK_FALSE(lies_outside(Error::Kind::invalid));
  CHECK_FALSE(lies_outside(Error::Kind::damaged));
}
