# SPDX-License-Identifier: Apache-2.0
import logging

import hdrive
import pytest

torch = pytest.importorskip("torch")
lightning = pytest.importorskip("lightning.pytorch")

from hdrive.integrations.lightning import HdriveCallback  # noqa: E402

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
pytestmark = pytest.mark.filterwarnings("ignore")


class Model(lightning.LightningModule):
    def __init__(self, lr):
        super().__init__()
        self.lr = lr
        self.layer = torch.nn.Linear(3, 1)

    def loss_of(self, batch):
        x, y = batch
        return torch.nn.functional.mse_loss(self.layer(x), y)

    def training_step(self, batch, _):
        loss = self.loss_of(batch)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, _):
        self.log("val_loss", self.loss_of(batch))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr)


def fit(params, callback, **given):
    torch.manual_seed(0)
    x = torch.randn(32, 3)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, x.sum(1, keepdim=True)), batch_size=8)
    trainer = lightning.Trainer(**{"max_epochs": 5, **given}, callbacks=[callback], logger=False, accelerator="cpu",
                                enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)
    trainer.fit(Model(params["lr"]), loader, loader)
    return trainer


def sweep_of(train, **given):
    settings = {"metric": "loss", "goal": "minimize", "sampler": "grid", "directory": ":memory:"}
    return hdrive.Sweep({"lr": hdrive.choice(0.1, 1e-6)}, **{**settings, **given}).run(train)


def test_each_epoch_is_reported_and_the_policy_stops():
    epochs = []

    def train(run, params):
        epochs.append(fit(params, HdriveCallback(run, {"val_loss": "loss", "train_loss": "train_loss"})).current_epoch)

    sweep = sweep_of(train, policy=hdrive.Bandit(slack_factor=0.1, delay_evaluation=3))
    assert [run.error for run in sweep.runs] == ["", ""]
    assert epochs == [5, 3]
    assert [run.cause for run in sweep.runs] == ["exited", "policy"]
    assert sweep.runs[0].metrics.steps("loss").tolist() == [0, 1, 2, 3, 4]
    assert len(sweep.runs[0].metrics["train_loss"]) == 5
    assert sweep.runs[0].metrics["loss"][-1] < sweep.runs[0].metrics["loss"][0]


def test_validations_within_an_epoch_are_reported_where_asked_for():
    def train(run, params):
        fit(params, HdriveCallback(run, {"val_loss": "loss"}, at="validation"), max_epochs=2, val_check_interval=2)

    sweep = sweep_of(train)
    assert [run.error for run in sweep.runs] == ["", ""]
    assert sweep.runs[0].metrics.steps("loss").tolist() == [2, 4, 6, 8]


def test_another_moment_is_refused():
    with pytest.raises(hdrive.ConfigError, match="at: 'batch'"):
        HdriveCallback(at="batch")
