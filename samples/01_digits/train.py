#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains a small neural network on the UCI handwritten digits (1,797 images of 8 x 8 pixels, part of
scikit-learn) and logs its validation accuracy after each epoch.

Run it alone (python3 train.py --epochs 20) or under hdrive, which gives the options their values. Alone,
hdrive_run is not there, and the script prints its accuracy instead of logging it.
"""

import argparse
import pathlib
import pickle
import warnings

from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

try:
    import hdrive_run
except ImportError:
    hdrive_run = None


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--learning-rate", type=float, default=0.01)
    parser.add_argument("--momentum", type=float, default=0.9)
    parser.add_argument("--weight-decay", type=float, default=1e-4)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--hidden", type=int, default=32, help="units of the hidden layer")
    parser.add_argument("--activation", choices=["relu", "tanh", "logistic"], default="relu")
    return parser.parse_args()


def main():
    args = arguments()
    warnings.simplefilter("ignore", ConvergenceWarning)  # one epoch at a time never converges

    images, digits = load_digits(return_X_y=True)
    train_x, valid_x, train_y, valid_y = train_test_split(
        images / 16.0, digits, test_size=0.3, random_state=0, stratify=digits
    )
    network = MLPClassifier(
        hidden_layer_sizes=(args.hidden,),
        activation=args.activation,
        solver="sgd",
        learning_rate_init=args.learning_rate,
        momentum=args.momentum,
        alpha=args.weight_decay,
        batch_size=args.batch_size,
        random_state=0,
    )

    outputs = pathlib.Path(hdrive_run.outputs_dir if hdrive_run else "outputs")
    outputs.mkdir(exist_ok=True)
    best = -1.0
    for epoch in range(args.epochs):
        network.partial_fit(train_x, train_y, classes=range(10))
        accuracy = network.score(valid_x, valid_y)
        print(f"epoch {epoch}: accuracy {accuracy:.4f}, loss {network.loss_:.4f}", flush=True)
        if hdrive_run:
            hdrive_run.log("accuracy", accuracy, step=epoch)
            hdrive_run.log("loss", network.loss_, step=epoch)
        if accuracy > best:
            best = accuracy
            # In one step, since a run can be stopped at any moment; it leaves its best model then.
            (outputs / "model.part").write_bytes(pickle.dumps(network))
            (outputs / "model.part").replace(outputs / "model.pkl")


if __name__ == "__main__":
    main()
