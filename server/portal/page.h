// SPDX-License-Identifier: Apache-2.0
//
// The files of the page, which the library carries.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "server/http.h"

namespace hdrive::server::portal {

struct PageFile {
  std::string_view path;  ///< "index.html", "assets/index-1a2b3c.js"
  std::string_view gzip;  ///< its bytes, compressed
  std::string_view etag;
};

/// Empty where the library was built without the page.
std::span<const PageFile> page_files();

/// The page as one file, with a place for the data of a sweep (web/report.mjs). Empty without the page.
std::string_view report_template();

/// The page's answer to a path that is not the API's: a file of it. Its own addresses stand behind "#".
Response page_response(const Request& request);

}  // namespace hdrive::server::portal
