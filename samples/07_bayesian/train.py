#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains a logistic regression on random Fourier features by stochastic gradient descent, in plain Python,
and logs the loss on held-out points after each epoch."""

import argparse
import math
import random

import hdrive_run

BATCH, MOMENTUM = 8, 0.5


def spiral(count, noise):
    """Points of two arms of a spiral, and which arm each belongs to."""
    points = []
    for i in range(count):
        arm, t = i % 2, 0.3 + 2.2 * i / count
        angle = 2 * t + math.pi * arm
        points.append((t * math.cos(angle) + noise.gauss(0, 0.6), t * math.sin(angle) + noise.gauss(0, 0.6), arm))
    noise.shuffle(points)
    return points


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--width", type=float, required=True, help="of the features")
    parser.add_argument("--weight-decay", type=float, required=True)
    args = parser.parse_args()

    noise = random.Random(1)
    points = spiral(240, noise)
    waves = [(noise.gauss(0, 1), noise.gauss(0, 1), noise.uniform(0, 2 * math.pi)) for _ in range(60)]
    features = [[math.cos((u * x + v * y) / args.width + w) for u, v, w in waves] for x, y, _ in points]
    examples = [(f, arm) for f, (_, _, arm) in zip(features, points)]
    train, held_out = examples[:160], examples[160:]
    weights, steps = [0.0] * 60, [0.0] * 60

    def chance(f):
        score = sum(a * b for a, b in zip(weights, f))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))

    for epoch in range(12):
        noise.shuffle(train)
        for start in range(0, len(train), BATCH):
            batch = train[start:start + BATCH]
            errors = [(chance(f) - arm, f) for f, arm in batch]
            for k in range(60):
                slope = sum(e * f[k] for e, f in errors) / len(batch) + args.weight_decay * weights[k]
                steps[k] = MOMENTUM * steps[k] - args.learning_rate * slope
                weights[k] += steps[k]
        loss = -sum(math.log(max(1e-9, chance(f) if arm else 1 - chance(f))) for f, arm in held_out) / len(held_out)
        hdrive_run.log("loss", loss, step=epoch)


if __name__ == "__main__":
    main()
