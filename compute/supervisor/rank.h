// SPDX-License-Identifier: Apache-2.0
//
// What one process of a distributed run is told: who it is, where the others are, and where what it writes goes.
#pragma once

#include <signal.h>

#include "compute/supervisor/protocol.h"

namespace hdrive::supervisor {

/// How the run is distributed, as the engine has written it (protocol.h, kProcesses).
struct Plan {
  bool read(const char* text);  ///< false: it is none

  char type = 0;  ///< 'm' mpi, 'p' pytorch, 't' tensorflow
  int nodes = 1;
  int per_node = 1;  ///< processes
  int workers = 0;   ///< of tensorflow; the other processes are parameter servers
  int servers = 0;
  bool metrics_of_all = false;
  int node = -1;              ///< which one this is; -1: all are here, or what starts them says
  const char* launcher = "";  ///< of mpi: words with blanks between them

  int processes() const { return type == 't' ? workers + servers : nodes * per_node; }
};

/// One process of it.
struct Rank {
  int rank = 0;
  int node = 0;
  int local = 0;  ///< among those of its node
};

/// Sets MASTER_ADDR and MASTER_PORT, and for tensorflow the ports of the processes: of this machine alone, or, where
/// there are several nodes, by this one's name. Those that are set already stay. False: no port is free.
bool choose_addresses(const Plan& plan);

/// Waits for the file that says where the other nodes are (protocol.h, kNodesFile), and sets MASTER_ADDR, MASTER_PORT
/// and the nodes' names by it; as above what is set already stays. False: one of `signals` that end a run came first.
bool await_nodes(const char* directory, const sigset_t& signals);

/// Sets the variables of a process in this one's environment, and turns stdout, stderr and the metric file of all but
/// the first into files of their own below `directory`. False, and errno: it could not.
bool become_rank(const Plan& plan, const Rank& rank, const char* directory);

/// processes/3/stderr.log
void name_file(char* path, unsigned long size, const char* directory, int rank, const char* name);

}  // namespace hdrive::supervisor
