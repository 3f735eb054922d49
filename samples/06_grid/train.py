#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fits y = a + b x + c x^2 + ... to noisy points by ridge regression, in plain Python, and prints the error
on held-out points. It knows nothing of hdrive: a pattern in hdconfig.yml reads the error from its output."""

import argparse
import math
import random


def solve(matrix, right):
    """Gauss-Jordan elimination with partial pivoting."""
    rows = [list(row) + [value] for row, value in zip(matrix, right)]
    for i in range(len(rows)):
        pivot = max(range(i, len(rows)), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for r in range(len(rows)):
            if r != i:
                factor = rows[r][i]
                rows[r] = [a - factor * b for a, b in zip(rows[r], rows[i])]
    return [row[-1] for row in rows]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--degree", type=int, required=True)
    parser.add_argument("--ridge", type=float, required=True)
    args = parser.parse_args()

    noise = random.Random(1)
    points = [(x / 20 - 1, math.sin(x / 6) + noise.gauss(0, 0.2)) for x in range(41)]
    train, held_out = points[::2], points[1::2]
    size = args.degree + 1
    gram = [[sum(x ** (i + j) for x, _ in train) for j in range(size)] for i in range(size)]
    for i in range(size):
        gram[i][i] += args.ridge
    weights = solve(gram, [sum(y * x**i for x, y in train) for i in range(size)])
    error = sum((y - sum(w * x**i for i, w in enumerate(weights))) ** 2 for x, y in held_out)
    print(f"held-out error: {math.sqrt(error / len(held_out)):.6f}")


if __name__ == "__main__":
    main()
