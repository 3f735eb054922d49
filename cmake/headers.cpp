// SPDX-License-Identifier: Apache-2.0
//
// Nothing but a place for the headers that are parsed once (hdrive_headers in hdrive_module.cmake).
