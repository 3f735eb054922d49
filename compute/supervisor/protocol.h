// SPDX-License-Identifier: Apache-2.0
//
// What the engine and a run's supervisor agree on: the supervisor's arguments, the record it sends,
// its exit statuses. Both are built together and the engine carries the supervisor with it, but an
// engine may meet supervisors that an older one started: those are met through files only
// (docs/run-directory.md). Included by both sides; plain constants and one plain struct.
#pragma once

#include <cstdint>

namespace hdrive::compute::protocol {

/// The version of supervisor.json and exit.json.
inline constexpr int kFileVersion = 1;

/// The first of the supervisor's arguments, by which it shows in a list of processes.
inline constexpr char kSupervisorName[] = "hdrive-run";

/// The supervisor's arguments.
enum Argument {
  kName,
  kRun,          ///< the run's number, to be repeated in the record
  kDirectory,    ///< the run directory, absolute
  kAttempt,      ///< from 1
  kBootId,       ///< of this boot of the machine
  kWorkingDir,   ///< where the program starts; empty: in the run directory
  kGraceMs,      ///< between SIGTERM and SIGKILL
  kTimeLimitMs,  ///< 0: none
  kFileLimit,    ///< the program's soft limit of open files; 0: as it is
  kKeptFds,      ///< how many descriptors behind kPipeFd stay open as long as the run lives: locks
  kBeatMs,       ///< 0, or how often a supervisor in a job of a batch system gives a sign of life
  kShell,        ///< 0, or the process id of its job's shell, beside which it runs
  kLease,        ///< the file with the lease that the run holds to; empty: none
  kMemoryGroup,  ///< the control group that limits its memory; empty: none
  kClaim,        ///< the file in the run directory that lets this supervisor begin
  kProcesses,    ///< how the run is distributed (plan_text); empty: the program is one process
  kProgram,      ///< and its arguments after it
};

/// The arguments of what stands between the supervisor and the processes of a distributed run.
enum RoleArgument {
  kRole = 1,
  kRolePlan,       ///< kProcesses
  kRoleDirectory,  ///< the run directory
  kRoleGraceMs,
  kRoleProgram,  ///< and its arguments after it
};
inline constexpr char kProcessesRole[] = "processes";
inline constexpr char kNodeRole[] = "node";
inline constexpr char kProcessRole[] = "process";

/// How the claim's name begins. The engine creates the file; the supervisor renames it to
/// supervisor.json, filled, before the program starts. An engine that takes over removes claims:
/// whose claim is gone starts nothing, and so no run is ever started twice.
inline constexpr char kClaimPrefix[] = ".start-";
/// The claim is made as large as supervisor.json can be, of blanks that the supervisor writes over:
/// on a disk that is full by then it can still say who looks after the run.
inline constexpr int kClaimSize = 1024;

/// Where the supervisor finds the pipe on which it tells that the program runs.
inline constexpr int kPipeFd = 3;

/// Sent once, when the program was started. Small enough to be written in one piece.
struct Began {
  std::int64_t run;
  std::int32_t attempt;
  std::int32_t pid;
  /// A number that only the supervisor and its engine know, and that exit.json repeats: what the
  /// program itself puts there does not count.
  std::int64_t token;
  std::int64_t started;  ///< when, in microseconds since 1970, as in exit.json
};

/// The supervisor's own exit statuses; 0: exit.json is there.
enum Status {
  kDone = 0,
  kWrongArguments = 64,
  kNoDirectory = 65,
  kNoRecord = 66,
  kNoClaim = 67,  ///< nothing was started
  kNoLease = 68,  ///< the lease was over before it began: nothing was started
};

/// In the run directory: the command that ends what lives outside of the run's process tree, each
/// word with a zero byte behind it. Carried out when the tree is gone, unless who wrote it took it
/// away by then (docs/run-directory.md).
inline constexpr char kEndFile[] = ".end-with";
/// How long that command may take.
inline constexpr int kEndPatienceMs = 30'000;

/// How the name of the file begins that asks the supervisor of an attempt to end it; the attempt's
/// number follows. Its first letter says how: 'g' gracefully, 'k' at once. Looked for at each beat:
/// where the engine is on another machine nothing else is sure to get through.
inline constexpr char kCancelPrefix[] = ".cancel-";
/// How the name of the file begins that tells the processes of a run's node, which wait for it, where the
/// others are; the attempt's number follows. Three lines: the first node's address, a port that is free
/// there, the addresses of all nodes with commas between them.
inline constexpr char kNodesFile[] = ".nodes-";
/// How often it is looked for.
inline constexpr int kNodesLookMs = 20;
/// At each of so many beats supervisor.json is touched.
inline constexpr int kBeatsPerTouch = 5;
/// How often a supervisor looks at its lease.
inline constexpr int kLeaseLookMs = 1000;

/// Beyond time limit and grace period, before the supervisor ends a run by itself: an engine that
/// is alive comes first.
inline constexpr int kTimeLimitMarginMs = 1000;
/// How long the supervisor tries to write exit.json where it may not, or the disk fails. For room
/// it waits for ever.
inline constexpr int kRecordPatienceMs = 60'000;
/// The least time between two looks for what is left alive, where each reads all of /proc.
inline constexpr int kExpensiveLookMs = 1000;
/// How long what a program left behind may take from SIGTERM to SIGKILL (never more than the grace
/// period).
inline constexpr int kLeftoverGraceMs = 1000;

}  // namespace hdrive::compute::protocol
