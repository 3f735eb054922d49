# SPDX-License-Identifier: Apache-2.0
"""hdrive inside other packages. One module each, which imports its package when it is imported itself:

    optuna        HdriveSampler, HdrivePruner     hdrive's samplers and policies in an Optuna study
    ray           HdriveSearch                    hdrive's samplers in Ray Tune
    sklearn       HdriveSearchCV                  a search estimator of scikit-learn
    keras, lightning, transformers, xgboost, lightgbm
                  HdriveCallback                  report to a run of hdrive, and stop when it is to stop

docs/integrations.md has an example of each.
"""
