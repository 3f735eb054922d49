# SPDX-License-Identifier: Apache-2.0
import hdrive
import pytest

transformers = pytest.importorskip("transformers")
torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

from hdrive.integrations.transformers import HdriveCallback  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 1)

    def forward(self, x, labels):
        predicted = self.layer(x)
        return {"loss": torch.nn.functional.mse_loss(predicted, labels), "logits": predicted}


def fit(params, callback, folder, epochs=5):
    torch.manual_seed(0)
    x = torch.randn(32, 3)
    data = [{"x": each, "labels": each.sum(0, keepdim=True)} for each in x]
    arguments = transformers.TrainingArguments(
        output_dir=str(folder), num_train_epochs=epochs, learning_rate=params["lr"], per_device_train_batch_size=8,
        eval_strategy="epoch", logging_strategy="epoch", save_strategy="no", report_to=[], use_cpu=True,
        disable_tqdm=True)
    trainer = transformers.Trainer(Model(), arguments, train_dataset=data, eval_dataset=data, callbacks=[callback])
    trainer.train()
    return trainer


def test_evaluations_are_reported_and_the_policy_stops(tmp_path):
    epochs = []

    def train(run, params):
        trainer = fit(params, HdriveCallback(run, {"eval_loss": "loss", "loss": "train_loss"}), tmp_path)
        epochs.append(trainer.state.epoch)

    sweep = hdrive.Sweep({"lr": hdrive.choice(0.1, 1e-9)}, metric="loss", goal="minimize", sampler="grid",
                         directory=":memory:", policy=hdrive.Bandit(slack_factor=0.1, delay_evaluation=3)).run(train)
    assert [run.error for run in sweep.runs] == ["", ""]
    assert epochs == [5, 3]
    assert [run.cause for run in sweep.runs] == ["exited", "policy"]
    assert sweep.runs[0].metrics.steps("loss").tolist() == [4, 8, 12, 16, 20]
    assert len(sweep.runs[0].metrics["train_loss"]) == 5
