// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/quality/native_problems.h"

#include <algorithm>
#include <cmath>

#include "hdrive/random.h"
#include "hdrive/sampler.h"

namespace hdrive::quality {
namespace {

constexpr double kPi = 3.14159265358979323846;
using Point = std::vector<double>;

// ---- functions on [-5, 5]^d with their minimum 0 at 0 ----------------------------------------------

double sphere(const Point& x) {
  double sum = 0;
  for (const double v : x) sum += v * v;
  return sum;
}
double ellipsoid(const Point& x) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    sum += std::pow(10.0, 4.0 * static_cast<double>(i) /
                              std::max<double>(1, static_cast<double>(x.size()) - 1)) *
           x[i] * x[i];
  return sum;
}
double rosenbrock(const Point& x) {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    const double a = 0.4 * x[i] + 1, b = 0.4 * x[i + 1] + 1;
    sum += 100 * (b - a * a) * (b - a * a) + (1 - a) * (1 - a);
  }
  return sum;
}
double rastrigin(const Point& x) {
  double sum = 0;
  for (const double v : x) sum += v * v + 10 - 10 * std::cos(2 * kPi * v);
  return sum;
}
double ackley(const Point& x) {
  double squares = 0, cosines = 0;
  const double n = static_cast<double>(x.size());
  for (const double v : x) {
    squares += v * v / n;
    cosines += std::cos(2 * kPi * v) / n;
  }
  return -20 * std::exp(-0.2 * std::sqrt(squares)) - std::exp(cosines) + 20 + std::exp(1.0);
}
double levy(const Point& x) {
  const auto w = [&](std::size_t i) { return 1 + x[i] / 4; };
  const std::size_t d = x.size();
  double sum = std::pow(std::sin(kPi * w(0)), 2);
  for (std::size_t i = 0; i + 1 < d; ++i)
    sum += std::pow(w(i) - 1, 2) * (1 + 10 * std::pow(std::sin(kPi * w(i) + 1), 2));
  return sum + std::pow(w(d - 1) - 1, 2) * (1 + std::pow(std::sin(2 * kPi * w(d - 1)), 2));
}
double griewank(const Point& x) {
  double sum = 0, product = 1;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double v = 10 * x[i];
    sum += v * v / 4000;
    product *= std::cos(v / std::sqrt(static_cast<double>(i + 1)));
  }
  return sum - product + 1;
}
double sharp_ridge(const Point& x) {
  double sum = 0;
  for (std::size_t i = 1; i < x.size(); ++i) sum += x[i] * x[i];
  return x[0] * x[0] + 10 * std::sqrt(sum);
}
double step_ellipsoid(const Point& x) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double v = std::floor(std::abs(x[i]) * 2 + 0.5) / 2;
    sum += std::pow(10.0, 2.0 * static_cast<double>(i) / static_cast<double>(x.size())) * v * v;
  }
  return sum + 1e-4 * std::abs(x[0]);
}
double different_powers(const Point& x) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    sum += std::pow(std::abs(x[i]), 2 + 4 * static_cast<double>(i) / static_cast<double>(x.size()));
  return std::sqrt(sum);
}
double schaffers(const Point& x) {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    const double s = std::sqrt(x[i] * x[i] + x[i + 1] * x[i + 1]);
    sum += std::sqrt(s) * (1 + std::pow(std::sin(50 * std::pow(s, 0.2)), 2));
  }
  return std::pow(sum / std::max<double>(1, static_cast<double>(x.size()) - 1), 2);
}
// Peaks at random places, one of them the highest (as BBOB's f21).
double gallagher(const Point& x) {
  const std::size_t d = x.size();
  RandomStream random(4242, static_cast<std::int64_t>(d), 1);
  double best = 0;
  for (int peak = 0; peak < 21; ++peak) {
    double square = 0;
    for (std::size_t i = 0; i < d; ++i) {
      const double at = peak == 0 ? 0 : 10 * random.uniform() - 5;
      const double weight = std::pow(10.0, 2 * random.uniform() - 1);
      square += weight * (x[i] - at) * (x[i] - at);
    }
    const double height = peak == 0 ? 10 : 1.1 + 8 * (peak - 1) / 19.0;
    best = std::max(best, height * std::exp(-square / (2 * static_cast<double>(d))));
  }
  return (10 - best) * (10 - best);
}

// Shifts the optimum within [-4, 4]^d and rotates about it.
struct Transformed {
  Point shift;
  std::vector<Point> rotation;
  Transformed(std::size_t d, std::uint64_t seed, bool rotate) {
    RandomStream random(seed, 77, 3);
    const auto normal = [&] {
      return std::sqrt(-2 * std::log(1 - random.uniform())) * std::cos(2 * kPi * random.uniform());
    };
    for (std::size_t i = 0; i < d; ++i) shift.push_back(8 * random.uniform() - 4);
    for (std::size_t i = 0; i < d; ++i) {
      Point row(d);
      for (double& v : row) v = normal();
      if (!rotate) {
        std::fill(row.begin(), row.end(), 0.0);
        row[i] = 1;
      }
      for (const Point& other : rotation) {
        double product = 0;
        for (std::size_t k = 0; k < d; ++k) product += row[k] * other[k];
        for (std::size_t k = 0; k < d; ++k) row[k] -= product * other[k];
      }
      double norm = 0;
      for (const double v : row) norm += v * v;
      for (double& v : row) v /= std::sqrt(norm);
      rotation.push_back(row);
    }
  }
  Point operator()(const Point& x) const {
    Point y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i)
      for (std::size_t k = 0; k < x.size(); ++k) y[i] += rotation[i][k] * (x[k] - shift[k]);
    return y;
  }
};

const std::vector<std::pair<std::string, double (*)(const Point&)>> kFunctions{
    {"sphere", sphere},
    {"ellipsoid", ellipsoid},
    {"rosenbrock", rosenbrock},
    {"rastrigin", rastrigin},
    {"ackley", ackley},
    {"levy", levy},
    {"griewank", griewank},
    {"sharp_ridge", sharp_ridge},
    {"step_ellipsoid", step_ellipsoid},
    {"different_powers", different_powers},
    {"schaffers", schaffers},
    {"gallagher", gallagher}};

double number(const Value& value) { return as_number(value).value_or(0); }

Task real_problem(const std::string& name, double (*function)(const Point&), int d,
                  double noise = 0) {
  Task problem;
  problem.name = name + " d=" + std::to_string(d) + (noise > 0 ? " noisy" : "");
  for (int i = 0; i < d; ++i)
    problem.space.parameters.push_back({"x" + std::to_string(i), Uniform{-5, 5}});
  problem.noise = noise;
  problem.make = [function, d](std::uint64_t seed) {
    const Transformed transform(static_cast<std::size_t>(d), seed, true);
    return [=](const Assignment& assignment) {
      Point x;
      for (const Binding& binding : assignment) x.push_back(number(binding.value));
      return function(transform(x));
    };
  };
  return problem;
}

// As bbob-mixint: the first four fifths take 2, 4, 8, 16 levels over [-4, 4], the optimum on a level.
Task mixed_problem(const std::string& name, double (*function)(const Point&), int d) {
  Task problem;
  problem.name = name + " mixed d=" + std::to_string(d);
  std::vector<int> levels;
  for (int i = 0; i < d; ++i) {
    const int part = 5 * i / d;
    levels.push_back(part < 4 ? 2 << part : 0);
    if (part < 4)
      problem.space.parameters.push_back({"x" + std::to_string(i), RandInt{levels.back()}});
    else
      problem.space.parameters.push_back({"x" + std::to_string(i), Uniform{-5, 5}});
  }
  problem.make = [function, d, levels](std::uint64_t seed) {
    Transformed transform(static_cast<std::size_t>(d), seed, true);
    const auto place = [levels](std::size_t i, double value) {
      return levels[i] == 0 ? value : -4 + 8 * value / (levels[i] - 1);
    };
    for (std::size_t i = 0; i < levels.size(); ++i) {
      if (levels[i] == 0) continue;
      const double index = std::nearbyint((transform.shift[i] + 4) / 8 * (levels[i] - 1));
      transform.shift[i] = place(i, index);
    }
    return [=](const Assignment& assignment) {
      Point x;
      for (std::size_t i = 0; i < assignment.size(); ++i)
        x.push_back(place(i, number(assignment[i].value)));
      return function(transform(x));
    };
  };
  return problem;
}

// Three branches with two parameters in common and one, two or three of their own, each with a function of its
// own; two of the branches, which ones the seed says, are worse by a tenth and two tenths of a usual value.
Task conditional_problem(const std::string& name, double (*function)(const Point&)) {
  Task problem;
  problem.name = name + " conditional";
  const std::vector<Value> kinds{std::string("a"), std::string("b"), std::string("c")};
  problem.space.parameters = {{"kind", Choice{kinds}}};
  for (std::size_t branch = 0; branch < kinds.size(); ++branch)
    for (std::size_t i = 0; i <= branch; ++i)
      problem.space.parameters.push_back(
          {"x" + std::to_string(i), Uniform{-5, 5}, Condition{"kind", kinds[branch]}});
  for (const char* common : {"y0", "y1"})
    problem.space.parameters.push_back({common, Uniform{-5, 5}});
  problem.make = [function, kinds](std::uint64_t seed) {
    std::vector<Transformed> transforms;
    std::vector<double> handicaps;
    for (std::size_t branch = 0; branch < kinds.size(); ++branch) {
      transforms.emplace_back(3 + branch, 3 * seed + branch, true);
      RandomStream random(seed, static_cast<std::int64_t>(branch), 7);
      std::vector<double> values;
      for (int i = 0; i < 101; ++i) {
        Point x(3 + branch);
        for (double& each : x) each = 10 * random.uniform() - 5;
        values.push_back(function(transforms.back()(x)));
      }
      std::nth_element(values.begin(), values.begin() + 50, values.end());
      handicaps.push_back(0.1 * static_cast<double>((seed + branch) % 3) * values[50]);
    }
    return [=](const Assignment& assignment) {
      Point x;
      for (const Binding& binding : assignment)
        if (binding.name != "kind") x.push_back(number(binding.value));
      const std::size_t branch = x.size() - 3;
      return function(transforms[branch](x)) + handicaps[branch];
    };
  };
  return problem;
}

// A table as one finds in tuning: log-scaled, ordinal and categorical parameters, a plateau of bad values,
// noise of the validation.
Task table_problem(int variant) {
  Task problem;
  problem.name = "table " + std::to_string(variant);
  const auto text = [](const char* word) { return Value(std::string(word)); };
  problem.space.parameters = {
      {"lr", Choice{{0.0005, 0.001, 0.005, 0.01, 0.05, 0.1}}},
      {"batch", Choice{{std::int64_t{8}, std::int64_t{16}, std::int64_t{32}, std::int64_t{64}}}},
      {"schedule", Choice{{text("cosine"), text("const")}}},
      {"activation1", Choice{{text("relu"), text("tanh")}}},
      {"activation2", Choice{{text("relu"), text("tanh")}}},
      {"units1", Choice{{std::int64_t{16}, std::int64_t{32}, std::int64_t{64}, std::int64_t{128},
                         std::int64_t{256}, std::int64_t{512}}}},
      {"units2", Choice{{std::int64_t{16}, std::int64_t{32}, std::int64_t{64}, std::int64_t{128},
                         std::int64_t{256}, std::int64_t{512}}}},
      {"dropout1", Choice{{0.0, 0.3, 0.6}}},
      {"dropout2", Choice{{0.0, 0.3, 0.6}}}};
  if (variant % 3 == 1) {
    problem.space.parameters[0].expression = LogUniform{std::log(1e-5), std::log(1.0)};
    problem.space.parameters[7].expression = Uniform{0, 0.8};
  }
  if (variant % 3 == 2) {
    problem.space.parameters[2].expression =
        Choice{{text("a"), text("b"), text("c"), text("d"), text("e")}};
    problem.space.parameters[3].expression =
        Choice{{text("a"), text("b"), text("c"), text("d"), text("e")}};
    problem.space.parameters[5].expression = QLogUniform{2.5, 6.5, 8};
  }
  problem.noise = 0.01;
  problem.make = [space = problem.space, variant](std::uint64_t seed) {
    // A random network of bumps over the encoded parameters, the categories with effects of their own.
    const std::size_t d = space.parameters.size();
    std::vector<double> centre, width;
    std::vector<std::vector<double>> effects(d);
    RandomStream random(static_cast<std::uint64_t>(variant) * 1000 + seed, 5, 5);
    for (std::size_t i = 0; i < d; ++i) {
      centre.push_back(random.uniform());
      width.push_back(0.25 + 1.5 * random.uniform() * random.uniform());
      for (int k = 0; k < 8; ++k) effects[i].push_back(random.uniform());
    }
    const double steep = 2 + 6 * random.uniform();
    const auto raw = [=](const Assignment& assignment) {
      double loss = 0, product = 1;
      for (std::size_t i = 0; i < d; ++i) {
        const Expression& expression = space.parameters[i].expression;
        const double unit = encode(expression, assignment[i].value);
        const bool is_text = std::holds_alternative<std::string>(assignment[i].value);
        const double effect = is_text ? 0.4 * effects[i][static_cast<std::size_t>(unit * 7.99) % 8]
                                      : std::pow((unit - centre[i]) / width[i], 2);
        loss += effect;
        product *= 1 + 0.5 * std::sin(3 * effect * (1 + static_cast<double>(i % 3)));
      }
      const double error = 1 - std::exp(-0.15 * loss * product);
      return error > 0.6 ? 0.9 : std::pow(error, 1 / steep * 2);
    };
    // The best of many random draws and of coordinate descents from the best stands for the optimum.
    double best = 1e9;
    Assignment top;
    for (int i = 0; i < 3000; ++i) {
      Assignment assignment;
      for (const Parameter& p : space.parameters)
        assignment.push_back({p.name, draw(p.expression, random)});
      const double value = raw(assignment);
      if (value < best) {
        best = value;
        top = assignment;
      }
    }
    for (int round = 0; round < 4; ++round)
      for (std::size_t i = 0; i < d; ++i)
        for (int k = 0; k < 200; ++k) {
          Assignment other = top;
          other[i].value = decode(space.parameters[i].expression, (k + 0.5) / 200);
          const double value = raw(other);
          if (value < best) {
            best = value;
            top = other;
          }
        }
    return [=](const Assignment& assignment) { return std::max(0.0, raw(assignment) - best); };
  };
  return problem;
}

}  // namespace

std::vector<Task> suite(const std::string& name) {
  if (name == "constructed") return constructed();
  std::vector<Task> problems;
  const auto add = [&](const char* suite, Task problem) {
    const bool is_extra = suite == std::string("d20") || suite == std::string("d40") ||
                          suite == std::string("conditional");
    if (name != suite && (name != "all" || is_extra)) return;
    problem.suite = suite;
    problems.push_back(std::move(problem));
  };
  for (const auto& [function_name, function] : kFunctions) {
    add("d5", real_problem(function_name, function, 5));
    add("d10", real_problem(function_name, function, 10));
    add("d2", real_problem(function_name, function, 2));
    add("d20", real_problem(function_name, function, 20));
    add("d40", real_problem(function_name, function, 40));
    add("mixed", mixed_problem(function_name, function, 5));
    add("mixed", mixed_problem(function_name, function, 10));
    add("conditional", conditional_problem(function_name, function));
    Task stopped = real_problem(function_name, function, 5);
    stopped.name += " stopped";
    stopped.curves = true;
    add("stopped", std::move(stopped));
    add("noisy", real_problem(function_name, function, 5, 1.0));
  }
  for (int variant = 0; variant < 9; ++variant) add("tables", table_problem(variant));
  return problems;
}

}  // namespace hdrive::quality
