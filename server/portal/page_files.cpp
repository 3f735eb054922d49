// SPDX-License-Identifier: Apache-2.0
//
// What CMake has made of the page: a table and the bytes (cmake/build_page.cmake).
#include <cstddef>
#include <span>

#include "server/portal/page.h"

#ifdef HDRIVE_PAGE_TABLE
#include HDRIVE_PAGE_TABLE
#else
namespace hdrive::server::portal {

std::span<const PageFile> page_files() { return {}; }
std::string_view report_template() { return {}; }

}  // namespace hdrive::server::portal
#endif
