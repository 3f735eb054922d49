// SPDX-License-Identifier: Apache-2.0
//
// The processes of a distributed run: a program between its supervisor and them, in the supervisor's own executable.
//
// It starts them with the variables by which they find each other, waits, and ends the others where one fails; the
// exit status is then that one's. What they leave behind is the supervisor's to end. In three roles:
//
//   processes  below the supervisor: starts the processes of a run on one node; of a run on several nodes of one job
//              what starts the others in turn (srun, mpirun); of a run whose nodes each have a supervisor, those of its
//              own, as soon as it is told where the others are
//   node       one a node, below srun: starts the processes of this node
//   process    one a process, below mpirun: gives it its variables and becomes it
//
// Signals, from the supervisor or from srun, which passes SIGUSR1 and SIGUSR2 on to all nodes and answers most others with
// SIGKILL there:
//
//   SIGUSR2           passed on to the processes as SIGUSR1 (supervisor.cpp)
//   SIGHUP            as SIGTERM, a warning; through srun by SIGUSR2, when a file says so
//   SIGTERM, SIGUSR1  the processes are to end; where they are the supervisor's descendants it tells them itself
//
// A node whose processes have failed says so in a file, too, since srun would kill the other nodes for its exit status
// before they have ended what theirs left behind.
#pragma once

namespace hdrive::supervisor {

/// Whether these arguments are of one of the roles.
bool is_of_processes(int argc, char** argv);

/// Takes the role up; the program's exit status, where it does not become another one.
int run_processes(int argc, char** argv);

}  // namespace hdrive::supervisor
