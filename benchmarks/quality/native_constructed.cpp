// SPDX-License-Identifier: Apache-2.0
//
// Problems made of what tuning is made of - plateaus, options that decide, regions where training fails, noise
// that depends on the point, branches, corners, small grids, tables - with a minimum of 0 that is known. Nothing
// in hdrive was fitted to them.
#include <algorithm>
#include <cmath>
#include <limits>

#include "benchmarks/quality/native_problems.h"
#include "hdrive/random.h"

namespace hdrive::quality {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kFails = std::numeric_limits<double>::quiet_NaN();
// What is nearer to the minimum is as good as the minimum in anybody's training.
constexpr double kFloor = 1e-5;
using Point = std::vector<double>;
using Function = std::function<double(const Assignment&)>;

// A bowl in [0, 1]^d with its minimum 0 at a random centre: a few coordinates matter, the others hardly, two
// neighbours act together, and a ripple lies over it.
struct Bowl {
  Point centre, weight;
  double ripple = 0, twist = 0;

  Bowl(int d, RandomStream& random, double rippling = 0) : ripple(rippling) {
    twist = 1.6 * random.uniform() - 0.8;
    for (int i = 0; i < d; ++i) {
      centre.push_back(0.1 + 0.8 * random.uniform());
      weight.push_back(std::pow(10.0, -1.5 * random.uniform()));
    }
  }
  double operator()(const Point& x) const {
    double sum = 0, total = 0;
    for (std::size_t i = 0; i < centre.size(); ++i) {
      const double here = x[i] - centre[i];
      const double next = i + 1 < centre.size() ? x[i + 1] - centre[i + 1] : 0;
      const double both = std::sqrt(weight[i] * (i + 1 < centre.size() ? weight[i + 1] : 0));
      sum += weight[i] * here * here + twist * both * here * next;
      sum += ripple * weight[i] * (1 - std::cos(6 * kPi * here)) * 0.05;
      total += weight[i];
    }
    return 2 * sum / total;
  }
};

Value word(const std::string& text) { return Value(text); }

double number(const Value& value) { return as_number(value).value_or(0); }

void add_reals(SearchSpace& space, int count) {
  for (int i = 0; i < count; ++i)
    space.parameters.push_back({"x" + std::to_string(i), Uniform{0, 1}});
}

void add_choice(SearchSpace& space, const std::string& name, int options) {
  Choice choice;
  for (int i = 0; i < options; ++i)
    choice.options.push_back(word(std::string(1, static_cast<char>('a' + i))));
  space.parameters.push_back({name, choice});
}

// The numbers of a parameter set in order, and the places of its words in the alphabet.
struct Read {
  Point x;
  std::vector<std::size_t> words;
  explicit Read(const Assignment& assignment) {
    for (const Binding& binding : assignment)
      if (const auto* text = std::get_if<std::string>(&binding.value))
        words.push_back(static_cast<std::size_t>(text->front() - 'a'));
      else
        x.push_back(number(binding.value));
  }
};

Task task(std::string name) {
  Task result;
  result.name = std::move(name);
  result.suite = "constructed";
  result.floor = kFloor;
  return result;
}

// Chance level but for a region about the centre, as where the learning rate is hopeless; inside it steps.
Task plateau(int d, double radius) {
  Task result = task("plateau d=" + std::to_string(d));
  add_reals(result.space, d);
  result.make = [=](std::uint64_t seed) -> Function {
    RandomStream random(seed, d, 0xA1);
    const Bowl bowl(d, random);
    return [=](const Assignment& assignment) {
      const double value = bowl(Read(assignment).x);
      return value > radius ? 0.9 : std::floor(value / radius * 1000) / 1000 * 0.9;
    };
  };
  return result;
}

// One bound of the first coordinate makes all others idle, and is better than most; the minimum is elsewhere.
Task shelf(int d) {
  Task result = task("shelf d=" + std::to_string(d));
  add_reals(result.space, d);
  result.make = [=](std::uint64_t seed) -> Function {
    RandomStream random(seed, d, 0xAB);
    Bowl bowl(d, random);
    bowl.centre[0] *= 0.6;
    return [=](const Assignment& assignment) {
      const Point x = Read(assignment).x;
      return x[0] > 0.85 ? 0.2 : std::min(0.9, 4 * bowl(x));
    };
  };
  return result;
}

// Each option has a bowl of its own. One, which the seed says, goes down to 0, but is worse than the others away
// from its centre; the others are good everywhere and no better than 0.1.
Task deciding_option(int options, int d) {
  Task result = task("deciding option " + std::to_string(options) + " d=" + std::to_string(d));
  add_choice(result.space, "kind", options);
  add_reals(result.space, d);
  result.make = [=](std::uint64_t seed) -> Function {
    RandomStream random(seed, d, 0xA2);
    const auto right = static_cast<std::size_t>(random.uniform() * options);
    std::vector<Bowl> bowls;
    Point offsets;
    for (int i = 0; i < options; ++i) {
      bowls.emplace_back(d, random);
      offsets.push_back(0.1 + 0.1 * random.uniform());
    }
    return [=](const Assignment& assignment) {
      const Read at(assignment);
      const std::size_t kind = at.words.front();
      return kind == right ? 1.5 * bowls[kind](at.x) : offsets[kind] + 0.4 * bowls[kind](at.x);
    };
  };
  return result;
}

// Two categories, of whose pairs one is right; either of the two alone makes things worse.
Task interacting_options(int options, int d) {
  Task result = task("interacting options " + std::to_string(options) + " d=" + std::to_string(d));
  add_reals(result.space, d);
  add_choice(result.space, "first", options);
  add_choice(result.space, "second", options);
  result.make = [=](std::uint64_t seed) -> Function {
    RandomStream random(seed, d, 0xA3);
    const auto pick = [&] { return static_cast<std::size_t>(random.uniform() * options); };
    const std::size_t first = pick(), second = pick();
    const Bowl bowl(d, random);
    Point effects;
    for (int i = 0; i < 2 * options; ++i) effects.push_back(0.1 * random.uniform());
    return [=](const Assignment& assignment) {
      const Read at(assignment);
      const bool left = at.words[0] == first, right = at.words[1] == second;
      const double base = bowl(at.x);
      if (left && right) return base;
      return 0.1 + (left != right ? 0.2 : 0.0) + effects[at.words[0]] +
             effects[at.words[1] + static_cast<std::size_t>(options)] + base;
    };
  };
  return result;
}

// Training fails beyond an edge that passes near the minimum.
Task failing(int d) {
  Task result = task("failing d=" + std::to_string(d));
  add_reals(result.space, d);
  result.make = [=](std::uint64_t seed) -> Function {
    RandomStream random(seed, d, 0xA4);
    const Bowl bowl(d, random, 0.5);
    Point normal;
    double length = 0;
    for (int i = 0; i < d; ++i) {
      normal.push_back(2 * random.uniform() - 1);
      length += normal.back() * normal.back();
    }
    return [=](const Assignment& assignment) {
      const Point x = Read(assignment).x;
      double beyond = -0.05;
      for (std::size_t i = 0; i < x.size(); ++i)
        beyond += normal[i] * (x[i] - bowl.centre[i]) / std::sqrt(length);
      return beyond > 0 ? kFails : bowl(x);
    };
  };
  return result;
}

// The noise grows with the first coordinate, up to a fifth of the range.
Task uneven_noise(int d) {
  Task result = task("uneven noise d=" + std::to_string(d));
  add_reals(result.space, d);
  result.deviation = [](const Assignment& at) {
    return 0.002 + 0.2 * std::pow(number(at[0].value), 3);
  };
  result.floor = 1e-3;
  result.make = [=](std::uint64_t seed) -> Function {
    RandomStream random(seed, d, 0xA5);
    const Bowl bowl(d, random);
    return [=](const Assignment& assignment) { return bowl(Read(assignment).x); };
  };
  return result;
}

// A model family of three, one of which has a kernel with parameters of its own, as scikit-learn's SVM.
Task branches() {
  Task result = task("branches");
  auto& parameters = result.space.parameters;
  parameters.push_back({"family", Choice{{word("a"), word("b"), word("c")}}});
  parameters.push_back({"depth", IntUniform{1, 20}, Condition{"family", word("a")}});
  parameters.push_back({"leaf", Uniform{0, 1}, Condition{"family", word("a")}});
  parameters.push_back({"rate", Uniform{0, 1}, Condition{"family", word("b")}});
  parameters.push_back({"cost", Uniform{0, 1}, Condition{"family", word("c")}});
  parameters.push_back(
      {"kernel", Choice{{word("a"), word("b"), word("c")}}, Condition{"family", word("c")}});
  parameters.push_back({"degree", IntUniform{2, 5}, Condition{"kernel", word("b")}});
  parameters.push_back({"gamma", Uniform{0, 1}, Condition{"kernel", word("c")}});
  parameters.push_back({"scale", Uniform{0, 1}});
  parameters.push_back({"decay", Uniform{0, 1}});
  result.make = [](std::uint64_t seed) -> Function {
    RandomStream random(seed, 3, 0xA6);
    std::vector<Bowl> bowls;
    for (int branch = 0; branch < 5; ++branch) bowls.emplace_back(4, random, 0.3);
    const auto right = static_cast<std::size_t>(random.uniform() * 5);
    return [=](const Assignment& assignment) {
      const Read at(assignment);
      const std::size_t branch = at.words[0] < 2 ? at.words[0] : 2 + at.words[1];
      Point x;
      for (const Binding& binding : assignment) {
        if (std::holds_alternative<std::string>(binding.value)) continue;
        const double value = number(binding.value);
        x.push_back(binding.name == "depth"    ? value / 20
                    : binding.name == "degree" ? value / 5
                                               : value);
      }
      x.resize(4, bowls[branch].centre[3]);
      if (branch == 0 || branch == 3) {  // their integers reach the minimum
        const double levels = branch == 0 ? 20 : 5;
        const std::size_t place = branch == 0 ? 0 : 1;
        x[place] += bowls[branch].centre[place] -
                    std::clamp(std::nearbyint(bowls[branch].centre[place] * levels),
                               branch == 0 ? 1.0 : 2.0, levels) /
                        levels;
      }
      return bowls[branch](x) + (branch == right ? 0 : 0.05 + 0.02 * static_cast<double>(branch));
    };
  };
  return result;
}

// The minimum lies in a corner, at the bounds of all parameters.
Task corner(int d) {
  Task result = task("corner d=" + std::to_string(d));
  add_reals(result.space, d);
  result.make = [=](std::uint64_t seed) -> Function {
    RandomStream random(seed, d, 0xA7);
    Bowl bowl(d, random, 0.4);
    for (double& each : bowl.centre) each = each < 0.5 ? 0.0 : 1.0;
    bowl.twist = std::abs(bowl.twist) * 0.5;
    const double origin = bowl(bowl.centre);
    return [=](const Assignment& assignment) {
      const double value = bowl(Read(assignment).x) - origin;
      return std::sqrt(std::max(0.0, value));
    };
  };
  return result;
}

// A handful of small integers, a rugged bowl.
Task integers(const std::vector<int>& sizes) {
  Task result = task("integers d=" + std::to_string(sizes.size()));
  for (const int size : sizes)
    result.space.parameters.push_back(
        {"x" + std::to_string(result.space.parameters.size()), IntUniform{0, size - 1}});
  result.make = [=](std::uint64_t seed) -> Function {
    RandomStream random(seed, static_cast<std::int64_t>(sizes.size()), 0xA8);
    Bowl bowl(static_cast<int>(sizes.size()), random, 3.0);
    for (std::size_t i = 0; i < sizes.size(); ++i)
      bowl.centre[i] = std::nearbyint(bowl.centre[i] * (sizes[i] - 1)) / (sizes[i] - 1);
    return [=](const Assignment& assignment) {
      Point x = Read(assignment).x;
      for (std::size_t i = 0; i < sizes.size(); ++i) x[i] /= sizes[i] - 1;
      return std::max(0.0, bowl(x));
    };
  };
  return result;
}

// A table as networks are kept in: categories and ordered numbers, 15,625 to 62,208 entries, effects of each
// alone and of each pair, noise of the training seed.
Task table(const std::string& name, const std::vector<int>& words, const std::vector<int>& numbers,
           double noise) {
  Task result = task("entries " + name);
  result.noise = noise;
  result.floor = 1e-3;
  for (std::size_t i = 0; i < words.size(); ++i)
    add_choice(result.space, "op" + std::to_string(i), words[i]);
  for (const int size : numbers)
    result.space.parameters.push_back(
        {"n" + std::to_string(result.space.parameters.size()), IntUniform{0, size - 1}});
  std::vector<int> sizes = words;
  sizes.insert(sizes.end(), numbers.begin(), numbers.end());
  result.make = [=](std::uint64_t seed) -> Function {
    RandomStream random(seed, static_cast<std::int64_t>(sizes.size()), 0xA9);
    const std::size_t d = sizes.size(), most = 8;
    Point single(d * most), pairs(d * d * most * most), slope(d);
    for (double& each : single) each = random.uniform() * random.uniform();
    for (double& each : pairs) each = random.uniform() - 0.5;
    for (double& each : slope) each = random.uniform();
    const auto raw = [=](const std::vector<std::size_t>& at) {
      double sum = 0;
      for (std::size_t i = 0; i < d; ++i) {
        const double unit = static_cast<double>(at[i]) / (sizes[i] - 1);
        sum += i < words.size() ? single[i * most + at[i]] : (unit - slope[i]) * (unit - slope[i]);
        for (std::size_t j = 0; j < i; ++j)
          if (j < words.size())
            sum += 0.5 * pairs[((i * d + j) * most + at[i] % most) * most + at[j]];
      }
      return sum;
    };
    // All entries, for the best.
    std::vector<std::size_t> at(d, 0);
    double best = raw(at), worst = best;
    for (std::size_t i = 0; i < d;) {
      for (i = 0; i < d && ++at[i] == static_cast<std::size_t>(sizes[i]); ++i) at[i] = 0;
      const double value = raw(at);
      best = std::min(best, value);
      worst = std::max(worst, value);
    }
    return [=](const Assignment& assignment) {
      std::vector<std::size_t> here;
      for (const Binding& binding : assignment)
        if (const auto* text = std::get_if<std::string>(&binding.value))
          here.push_back(static_cast<std::size_t>(text->front() - 'a'));
        else
          here.push_back(static_cast<std::size_t>(number(binding.value)));
      return (raw(here) - best) / (worst - best);
    };
  };
  return result;
}

// Learning rate and decay over decades, an optimizer that shifts them, sizes in powers of two.
Task training(double noise) {
  Task result = task(noise > 0 ? "training noisy" : "training");
  result.noise = noise;
  result.space.parameters = {{"lr", LogUniformValues{1e-6, 1}},
                             {"decay", LogUniformValues{1e-8, 1e-1}},
                             {"momentum", Uniform{0, 0.999}},
                             {"width", IntLogUniform{8, 1024}},
                             {"layers", IntUniform{1, 6}}};
  add_choice(result.space, "optimizer", 4);
  add_choice(result.space, "activation", 3);
  result.floor = noise > 0 ? 1e-3 : kFloor;
  result.make = [](std::uint64_t seed) -> Function {
    RandomStream random(seed, 7, 0xAA);
    Point shift, cost, other;
    for (int i = 0; i < 4; ++i) {
      shift.push_back(-4 + 3 * random.uniform());
      cost.push_back(0.05 * random.uniform());
    }
    for (int i = 0; i < 3; ++i) other.push_back(0.04 * random.uniform());
    const double least = *std::min_element(cost.begin(), cost.end());
    const double least_other = *std::min_element(other.begin(), other.end());
    const double best_decay = -6 + 3 * random.uniform(), best_size = 6 + 4 * random.uniform();
    return [=](const Assignment& assignment) {
      const Read at(assignment);
      const std::size_t kind = at.words[0];
      const double lr = std::log10(at.x[0]) - shift[kind] + std::log10(1 / (1.001 - at.x[2])) * 0.5;
      const double size = std::log2(at.x[3]) + 0.5 * at.x[4];
      const double decay = std::log10(at.x[1]) - best_decay;
      double loss = cost[kind] - least + other[at.words[1]] - least_other;
      loss += lr > 0 ? 0.3 * lr * lr : 0.05 * lr * lr;  // too high diverges, too low is slow
      loss += 0.004 * (size - best_size) * (size - best_size) + 0.01 * decay * decay;
      return 0.9 * (1 - std::exp(-loss));
    };
  };
  return result;
}

}  // namespace

std::vector<Task> constructed() {
  return {plateau(3, 0.15),
          plateau(6, 0.2),
          shelf(4),
          shelf(7),
          deciding_option(2, 4),
          deciding_option(5, 3),
          deciding_option(8, 2),
          interacting_options(3, 3),
          interacting_options(5, 2),
          failing(3),
          failing(8),
          uneven_noise(3),
          uneven_noise(6),
          branches(),
          corner(4),
          corner(10),
          integers({6, 8, 12, 16, 20}),
          integers({3, 3, 5, 5, 8, 8, 16, 16, 32}),
          table("6 words", {5, 5, 5, 5, 5, 5}, {}, 0.01),
          table("4 words 4 numbers", {2, 2, 3, 3}, {6, 6, 6, 8}, 0.005),
          table("6 numbers", {}, {6, 6, 6, 6, 6, 6}, 0),
          training(0),
          training(0.01)};
}

}  // namespace hdrive::quality
