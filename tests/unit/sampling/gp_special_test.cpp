// SPDX-License-Identifier: Apache-2.0
//
// The tail of expected improvement against values computed with 400 digits.
#include <cmath>

#include "sampling/gp/special.h"
#include "tests/catch.h"

using namespace hdrive::sampling::gp;

TEST_CASE("ln h(z) keeps its digits from -100,000 to 50") {
  struct Known {
    double z, value;
  };
  for (const auto& [z, value] : {Known{-1e5, -5000000023.94478946},
                                 {-1e4, -50000019.3396193072},
                                 {-1000, -500014.734452091158},
                                 {-100, -5010.12957880024979},
                                 {-40, -808.29856835661996},
                                 {-25.5, -332.525884462204978},
                                 {-12, -77.9091005450073483},
                                 {-6.5, -25.8534242097778935},
                                 {-6, -22.5788793921697974},
                                 {-5.9, -21.9526684815297316},
                                 {-3, -7.86968605960302852},
                                 {-1, -2.48512102571264134},
                                 {-0.5, -1.62051626438731992},
                                 {0, -0.918938533204672742},
                                 {0.5, -0.359827683745063819},
                                 {1, 0.08002621884930694},
                                 {5, 1.60943792312643139},
                                 {10, 2.30258509299404568},
                                 {50, 3.91202300542814606}}) {
    INFO(z);
    CHECK(log_h(z).value == Approx(value).epsilon(1e-14).margin(2e-14));
  }
}

TEST_CASE("The parts of its derivatives keep their digits too") {
  for (const auto& [z, ratio] : {std::pair{-100.0, 100.019994004195865},
                                 {-40.0, 40.0499066576485182},
                                 {-12.0, 12.1633525715857398},
                                 {-6.5, 6.78880352440732794},
                                 {-5.9, 6.21439827023283584},
                                 {-1.0, 1.90427123332969182},
                                 {1.0, 0.77663872520173926}}) {
    INFO(z);
    CHECK(log_h(z).cumulative == Approx(ratio).epsilon(1e-13));
    // h = phi + z Phi, divided by h.
    CHECK(log_h(z).density + z * log_h(z).cumulative == Approx(1).epsilon(1e-11 * z * z + 1e-13));
  }
}

TEST_CASE("The derivative of ln h is Phi / h on both sides of where the formula changes") {
  for (double z = -30; z < 5; z += 0.173) {
    const double step = 1e-4;
    const double slope = (log_h(z + step).value - log_h(z - step).value) / (2 * step);
    CHECK(log_h(z).cumulative == Approx(slope).epsilon(1e-6));
  }
}

TEST_CASE("The normal quantile inverts the distribution") {
  for (const double p : {1e-9, 0.01, 0.3, 0.5, 0.9, 0.999999})
    CHECK(normal_cdf(normal_quantile(p)) == Approx(p).epsilon(1e-12));
}
