// SPDX-License-Identifier: Apache-2.0
//
// The verbs: one function and one file each. The table in verbs.cpp names them to users.
#pragma once

#include "cli/command.h"

namespace hdrive::cli {

Action setup_run(CLI::App& app, std::vector<std::string>& arguments);
Action setup_attach(CLI::App& app, std::vector<std::string>& arguments);
Action setup_validate(CLI::App& app, std::vector<std::string>& arguments);
Action setup_sample(CLI::App& app, std::vector<std::string>& arguments);
Action setup_session(CLI::App& app, std::vector<std::string>& arguments);
Action setup_list(CLI::App& app, std::vector<std::string>& arguments);
Action setup_status(CLI::App& app, std::vector<std::string>& arguments);
Action setup_show(CLI::App& app, std::vector<std::string>& arguments);
Action setup_logs(CLI::App& app, std::vector<std::string>& arguments);
Action setup_best(CLI::App& app, std::vector<std::string>& arguments);
Action setup_export(CLI::App& app, std::vector<std::string>& arguments);
Action setup_stop(CLI::App& app, std::vector<std::string>& arguments);
Action setup_pause(CLI::App& app, std::vector<std::string>& arguments);
Action setup_resume(CLI::App& app, std::vector<std::string>& arguments);
Action setup_enqueue(CLI::App& app, std::vector<std::string>& arguments);
Action setup_update(CLI::App& app, std::vector<std::string>& arguments);
Action setup_repair(CLI::App& app, std::vector<std::string>& arguments);
Action setup_log(CLI::App& app, std::vector<std::string>& arguments);
Action setup_list_algorithms(CLI::App& app, std::vector<std::string>& arguments);
Action setup_version(CLI::App& app, std::vector<std::string>& arguments);
Action setup_completion(CLI::App& app, std::vector<std::string>& arguments);
Action setup_config_reference(CLI::App& app, std::vector<std::string>& arguments);

}  // namespace hdrive::cli
