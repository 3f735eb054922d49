// SPDX-License-Identifier: Apache-2.0
//
// Lbfgs: minimises a smooth function within a box. Asks for values instead of calling, so that
// several minimisations can be evaluated together.
//
// Internal to sampling/. One thread at a time; owns all it needs.
//
// Liu, Nocedal, "On the limited memory BFGS method", Mathematical Programming 45, 1989, with the
// projected backtracking search of Bertsekas, "Projected Newton methods", SIAM J. Control Optim.
// 20, 1982: variables at a bound that the gradient pushes against are left out of the direction.
#pragma once

#include <deque>
#include <vector>

namespace hdrive::sampling::gp {

class Lbfgs {
 public:
  struct Options {
    int iterations = 15;
    std::size_t memory = 8;
    double gradient = 1e-2;   ///< done when no projected gradient component is larger
    double first_step = 0.1;  ///< length of the first step; the next ones scale themselves
    int backtracks = 12;
  };

  Lbfgs(std::vector<double> lower, std::vector<double> upper, std::vector<double> start,
        Options options);

  /// Whether there is nothing more to evaluate.
  bool done() const { return done_; }
  /// Where to evaluate next.
  const std::vector<double>& trial() const { return trial_; }
  /// The value and the gradient at `trial()`. A NaN counts as worse than anything.
  void tell(double value, const std::vector<double>& gradient);

  /// The best point so far; the start before the first `tell`.
  const std::vector<double>& best() const { return point_; }
  double best_value() const { return value_; }

 private:
  void accept(double value, const std::vector<double>& gradient);
  void choose_direction();
  void step(double length);
  bool pushed(std::size_t i, double slope) const;

  struct Pair {
    std::vector<double> s, y;
    double product = 0;  ///< s'y
  };

  std::vector<double> lower_, upper_;
  Options options_;
  std::vector<double> point_, gradient_, direction_, trial_;
  double value_ = 0;
  double length_ = 1;
  int iteration_ = 0;
  int backtracks_ = 0;
  bool started_ = false;
  bool done_ = false;
  std::deque<Pair> pairs_;
};

}  // namespace hdrive::sampling::gp
